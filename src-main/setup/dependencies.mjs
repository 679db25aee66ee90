// @ts-check
/** Installs the pinned npm packages when they are missing or older than the lock file. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { root, run, step, StepError } from './steps.mjs';

/** @returns {Promise<void>} */
export async function ensureDependencies() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new StepError(`Node ${process.versions.node} is too old`, 'install Node 20.20 or newer and run this again');
  }
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  await step('Installing the npm packages (pinned in package-lock.json; no install scripts are run)', () =>
    run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
      hint: 'check that the npm registry can be reached (npm ping), then run this again',
    }),
  );
}
