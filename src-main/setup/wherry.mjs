#!/usr/bin/env node
// @ts-check
/** `npm run wherry -- …` and the package's `bin`: builds the command line when its sources changed, then runs it. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { freshness } from './stale.mjs';
import { root, run, runMain } from './steps.mjs';

await runMain(async () => {
  await ensureDependencies();
  const program = freshness('command-line', {
    inputs: ['package-lock.json', 'src-main', 'vm/contract', 'vm/image/kernel-args.ts'],
    outputs: ['dist/cli/main.cjs'],
  });
  if (program.stale) {
    await run(process.execPath, [path.join(root, 'src-main/setup/build.mjs'), 'host'], {
      hint: 'mend what is named above',
    });
    program.done();
  }
  const child = spawn(process.execPath, [path.join(root, 'dist/cli/main.cjs'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // The terminal sends Ctrl-C to both; the child decides what it means.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  }
  process.exitCode = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : (code ?? 1)));
  });
});
