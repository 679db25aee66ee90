// @ts-check
/** Named steps for the set-up scripts: each says what it does, how long it took, and what to do when it failed. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A step failed; `hint` says what to do next. */
export class StepError extends Error {
  /**
   * @param {string} message
   * @param {string} [hint]
   */
  constructor(message, hint) {
    super(message);
    this.name = 'StepError';
    this.hint = hint;
  }
}

/**
 * Runs one named step. Prints its name before and its time after.
 * @template T
 * @param {string} name
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(name, work) {
  process.stderr.write(`• ${name}\n`);
  const startedAt = performance.now();
  const value = await work();
  const tookMs = performance.now() - startedAt;
  if (tookMs > 1000) process.stderr.write(`  ${name}: done in ${(tookMs / 1000).toFixed(1)} s\n`);
  return value;
}

/**
 * Runs a program to its end with the terminal's own output.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean, env?: NodeJS.ProcessEnv, hint?: string, cwd?: string }} [options] quiet: output only when it fails
 * @returns {Promise<void>} Rejects with a {@link StepError} when it cannot start or ends with another code than 0.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    /** @type {Buffer[]} */
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => reject(new StepError(`${command}: ${error.message}`, options.hint)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      process.stderr.write(Buffer.concat(output));
      reject(
        new StepError(`${command} ${args.slice(0, 4).join(' ')}: ended with ${signal ?? `code ${code}`}`, options.hint),
      );
    });
  });
}

/**
 * Runs a script's main function; a failure is printed with its hint and ends the process with 1.
 * @param {() => Promise<void>} main
 */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    const hint = error instanceof StepError && error.hint ? `\n  What to do: ${error.hint}` : '';
    const text = error instanceof StepError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`✗ ${text}${hint}\n`);
    process.exitCode = 1;
  }
}
