/** The agent's own log and the stage lines that the host reads from the serial console. */
import { openSync, writeSync } from 'node:fs';

export type BootStage = 'agent' | 'disk' | 'engine';

export interface Log {
  info(message: string): void;
  warn(message: string, error?: unknown): void;
  error(message: string, error?: unknown): void;
}

/** Lines on standard error; init decides where that goes. */
export const log: Log = {
  info: (message) => write(`wherry: ${message}`),
  warn: (message, error) => write(`wherry: warning: ${message}${detail(error)}`),
  error: (message, error) => write(`wherry: error: ${message}${detail(error)}`),
};

/** `wherry: stage <name>` on the serial console. */
export function announceStage(stage: BootStage): void {
  const line = `wherry: stage ${stage}\n`;
  try {
    writeSync(openConsole(), line);
  } catch {
    // No console outside the guest, or it is blocked: the line still goes to the log.
    write(line.trimEnd());
  }
}

/** An error with its causes, on one line. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${errorText(error.cause)}`;
  return `${error.message}${cause}`;
}

let consoleFd: number | undefined;

function openConsole(): number {
  consoleFd ??= openSync('/dev/console', 'w');
  return consoleFd;
}

function detail(error: unknown): string {
  if (error === undefined) return '';
  const stack = error instanceof Error && error.stack !== undefined ? `\n${error.stack}` : '';
  return `: ${errorText(error)}${stack}`;
}

function write(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Standard error can be a full pipe; the agent must not die of its log.
  }
}
