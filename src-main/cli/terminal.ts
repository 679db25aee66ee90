/** This process's own terminal, joined to a stream. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface TerminalOptions {
  /** Every key goes to the other end, Ctrl-C too. */
  readonly raw: boolean;
  /** Returns false when its target is full. */
  readonly onOutput: (chunk: Buffer) => boolean;
  readonly onResize: (size: TerminalSize) => void;
}

export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

export function terminalSize(): TerminalSize {
  return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
}

/** Passes keys and output until the stream has ended; the terminal is restored in every case. */
export async function attachTerminal(stream: Duplex, options: TerminalOptions): Promise<void> {
  const { stdin, stdout } = process;
  const send = (chunk: Buffer): void => {
    if (!stream.write(chunk)) stdin.pause();
  };
  const drained = (): void => void stdin.resume();
  const ended = (): void => void stream.end();
  const resize = (): void => options.onResize(terminalSize());
  const receive = (chunk: Buffer): void => {
    if (options.onOutput(chunk)) return;
    stream.pause();
    stdout.once('drain', () => stream.resume());
  };
  if (options.raw) stdin.setRawMode(true);
  stdin.on('data', send).on('end', ended);
  stream.on('drain', drained).on('data', receive);
  if (options.raw) stdout.on('resize', resize);
  try {
    await once(stream, 'end');
  } finally {
    stdin.off('data', send).off('end', ended);
    stdin.pause();
    stdout.off('resize', resize);
    if (options.raw) stdin.setRawMode(false);
    stream.end();
  }
}
