import { spawn } from 'node:child_process';
import { ImageError } from './steps.ts';

/** How {@link run} starts a program. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What to do when the program is missing or fails. */
  readonly hint?: string;
}

/**
 * Runs a program to its end and returns what it wrote to standard output.
 * @throws {ImageError} when it cannot be started or ends with another code than 0; the message carries its errors.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', (error) => {
      reject(new ImageError(`${command}: ${error.message}`, options.hint ?? `install ${command}`, error));
    });
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(Buffer.concat(output).toString());
        return;
      }
      const detail = Buffer.concat(errors).toString().trim().split('\n').slice(-8).join('\n  ');
      reject(new ImageError(`${command} ended with ${signal ?? `code ${String(code)}`}:\n  ${detail}`, options.hint));
    });
  });
}
