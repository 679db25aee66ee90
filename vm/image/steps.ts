import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A step failed for a reason outside this program; `hint` says what to do next. */
export class ImageError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ImageError';
    this.hint = hint;
  }
}

/** A named piece of work whose outputs stay valid as long as its inputs hash the same. */
export interface Step {
  readonly name: string;
  /** Everything the outputs depend on; compared as JSON. */
  readonly inputs: unknown;
  /** Absolute paths that must exist for the work to count as done. */
  readonly outputs: readonly string[];
  readonly work: () => Promise<void>;
}

/** Runs steps, skipping those already done. */
export interface StepRunner {
  run(step: Step): Promise<void>;
}

/**
 * @param stampFolder where a small file per step remembers the hash of its inputs
 * @param print one line of progress
 */
export function createStepRunner(stampFolder: string, print: (line: string) => void): StepRunner {
  return {
    async run(step) {
      const stamp = path.join(stampFolder, `${step.name.replaceAll(/[^a-z0-9]+/g, '-')}.sha256`);
      const hash = sha256(JSON.stringify(step.inputs));
      if (step.outputs.every((output) => existsSync(output)) && (await readStamp(stamp)) === hash) {
        print(`• ${step.name}: unchanged`);
        return;
      }
      print(`• ${step.name}`);
      const startedAt = performance.now();
      await rm(stamp, { force: true });
      await step.work();
      await mkdir(stampFolder, { recursive: true });
      await writeFile(stamp, hash);
      print(`  done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    },
  };
}

async function readStamp(file: string): Promise<string> {
  return existsSync(file) ? await readFile(file, 'utf8') : '';
}

/** SHA-256 as lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 of a file, as lower-case hex. */
export async function sha256File(file: string): Promise<string> {
  return sha256(await readFile(file));
}
