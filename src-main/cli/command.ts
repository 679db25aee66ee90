/** What a command of the command line is. */
import { AppError } from '../contract/errors.ts';
import type { CliContext } from './context.ts';

/** Ends of `wherry`; `ssh` ends with the code of what it ran. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** `status`: the VM is not ready. */
  notReady: 3,
  /** `host`: another process holds the home. */
  held: 4,
  interrupted: 130,
} as const;

export interface Command {
  readonly name: string;
  /** After the name in the usage line. */
  readonly usage: string;
  readonly summary: string;
  /** More lines for `--help`. */
  readonly details: readonly string[];
  readonly flags: Readonly<Record<string, Flag>>;
  /** Not in the list of commands: for Wherry itself. */
  readonly hidden?: boolean;
  /** Resolves with the exit code. */
  run(context: CliContext, input: CommandInput): Promise<number>;
}

interface Flag {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly help: string;
}

export interface CommandInput {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
  /** What came after `--`. */
  readonly rest: readonly string[];
}

/** The command line was wrong: ends with {@link exitCodes.usage}. */
export class UsageError extends Error {}

export function wholeNumber(text: string, what: string, most: number): number {
  if (!/^\d+$/.test(text) || Number(text) > most)
    throw new UsageError(`${what} must be a whole number up to ${most}, not '${text}'`);
  return Number(text);
}

/** The message and what to do, for a person. */
export function describeError(error: unknown): string {
  if (!(error instanceof AppError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return error.hint === undefined ? error.message : `${error.message}\n  What to do: ${error.hint}`;
}
