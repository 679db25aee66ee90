/** What the scripts print, as values. */
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';

export const probeOutput = z.object({ version: z.string(), processors: z.int(), hasSwitch: z.boolean() });
export const diskOutput = z.object({ created: z.boolean(), grown: z.boolean(), sizeBytes: z.number() });
export const startOutput = z.object({ id: z.string() });

/** `ConvertTo-Json` of Windows PowerShell writes a list of one as its only value, and an empty one as null or `{}`. */
const list = z.preprocess(
  (value): unknown => (Array.isArray(value) ? (value as unknown) : typeof value === 'string' ? [value] : []),
  z.array(z.string()),
);
export const statusOutput = z.object({ state: z.string(), addresses: list, worker: z.int() });
export type StatusOutput = z.infer<typeof statusOutput>;

export function parseOutput<T>(schema: z.ZodType<T>, attempt: string, output: string): T {
  // A byte order mark may come first.
  const text = output.replace(/^\ufeff/, '').trim();
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const shown = text.slice(0, 200) || 'nothing';
    throw new AppError('vm-failed', `${attempt}: PowerShell printed ${shown} where its answer was expected`, {
      cause: error,
    });
  }
}

/** Hyper-V's words for the run states, as the contract's `status` has them. */
export function runState(state: string): string {
  switch (state) {
    case 'Running':
      return 'running';
    case 'Paused':
      return 'paused';
    case 'Saved':
      return 'saved';
    case 'Off':
    case 'Missing':
      return 'off';
    default:
      return state.toLowerCase();
  }
}
