/** What a registry's refusal means (distribution specification, "Error Codes"). */
import { z } from 'zod';
import { readAll } from './body.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const maxErrorBytes = 64 * 1024;
const errorBody = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })).min(1),
});

/** An answer that is not a success. The message reads as Docker's: `manifest unknown: manifest unknown`. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: number;
  /** `MANIFEST_UNKNOWN`, `DENIED`…; undefined when the registry sent none. */
  readonly code: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, status: number, code: string | undefined, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function isStatus(answer: HttpAnswer, ...statuses: readonly number[]): boolean {
  return statuses.includes(answer.status);
}

export async function describeFailure(
  transport: Transport,
  answer: HttpAnswer,
  signal: AbortSignal,
): Promise<StatusError> {
  const { code, message } = await readError(transport, answer, signal);
  const retryAfter = Number(answer.headers['retry-after']);
  const text =
    code !== undefined
      ? `${code.toLowerCase().replaceAll('_', ' ')}: ${message ?? ''}`.replace(/: $/, '')
      : `received unexpected HTTP status: ${answer.status} from ${answer.url.host}`;
  return new StatusError(text, answer.status, code, Number.isFinite(retryAfter) ? retryAfter : undefined);
}

async function readError(
  transport: Transport,
  answer: HttpAnswer,
  signal: AbortSignal,
): Promise<{ code?: string | undefined; message?: string | null | undefined }> {
  try {
    const bytes = await readAll(transport, answer, maxErrorBytes, signal);
    return errorBody.parse(JSON.parse(bytes.toString('utf8'))).errors[0] ?? {};
  } catch {
    signal.throwIfAborted();
    return {}; // the status alone has to do
  }
}
