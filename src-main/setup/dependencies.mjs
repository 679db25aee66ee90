// @ts-check
/** Installs the pinned npm packages when they are missing or older than the lock file. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, run, step, StepError } from './steps.mjs';

/** @returns {Promise<void>} */
export async function ensureDependencies() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new StepError(`Node ${process.versions.node} is too old`, 'install Node 20.20 or newer and run this again');
  }
  const stamp = path.join(root, 'node_modules', '.wherry-lock-sha256');
  const wanted = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new StepError(
      'node_modules is a link and does not fit package-lock.json',
      'run npm ci where the link points',
    );
  }
  await step('Installing the npm packages (pinned in package-lock.json; no install scripts are run)', () =>
    run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
      hint: 'check that the npm registry can be reached (npm ping), then run this again',
    }),
  );
  writeFileSync(stamp, wanted);
}
