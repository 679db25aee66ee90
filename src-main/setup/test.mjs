// @ts-check
/**
 * `npm test`: does all the set-up, then runs the checks and unit tests, the guest tests (as root in a real VM), other
 * people's client (the docker CLI) against a real VM and registry, and the end-to-end tests of the
 * host and the window. `npm test -- check guest` runs only those phases.
 * `slow` runs only when it is named: libraries, compose, archives, builds and many clients at once, some ten minutes more.
 * The last line is `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { root, run, runMain, step, StepError } from './steps.mjs';
import { ensureSystemPackages } from './system-packages.mjs';
import { testFiles } from './test-files.mjs';

const tool = (/** @type {string} */ name) => path.join(root, 'node_modules', '.bin', name);
const tsx = ['--import', 'tsx'];

/** Each phase is a program that prints node:test's or Playwright's own summary. */
const phases = {
  check: () => [process.execPath, 'src-main/setup/check.mjs'],
  guest: () => [process.execPath, ...tsx, 'test/guest/run.ts'],
  docker: () => oneProcess('test/docker'),
  host: () => [
    process.execPath,
    ...tsx,
    '--test',
    '--test-concurrency=1',
    '--test-reporter=spec',
    ...testFiles(path.join(root, 'test/e2e')),
  ],
  flows: () => playwright('engine'),
  window: () => playwright('window'),
  slow: () => oneProcess('test/slow'),
};
const usual = ['check', 'guest', 'docker', 'host', 'flows', 'window'];

/** @param {string} project of test/e2e/playwright.config.ts */
function playwright(project) {
  return [tool('playwright'), 'test', '--config', 'test/e2e/playwright.config.ts', '--project', project];
}

/** @param {string} folder whose suites share one VM */
function oneProcess(folder) {
  return [process.execPath, ...tsx, '--test-reporter=spec', 'test/docker/run.ts', folder];
}

const totals = { passed: 0, failed: 0, skipped: 0 };

await runMain(async () => {
  await ensureDependencies();
  await ensureSystemPackages(['run', 'build', 'test']);
  await step('Building everything', () => run(process.execPath, ['src-main/setup/build.mjs']));
  await step('Building the guest image', () => run(process.execPath, ['src-main/setup/image.mjs']));
  const named = process.argv.slice(2);
  const wanted = named.length > 0 ? named : usual;
  /** @type {string[]} */
  const broken = [];
  for (const [name, command] of Object.entries(phases)) {
    if (!wanted.includes(name)) continue;
    const ok = await step(`Tests: ${name}`, () => runPhase(command()));
    if (!ok) broken.push(name);
  }
  if (broken.length > 0 && totals.failed === 0) totals.failed = broken.length;
  process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
  if (broken.length > 0)
    throw new StepError(`failed: ${broken.join(', ')}`, `npm test -- ${broken[0]} runs that part alone`);
});

/**
 * Runs a phase with its output shown, and adds its summary to the totals.
 * @param {string[]} command
 * @returns {Promise<boolean>} whether it ended with 0
 */
function runPhase([program = '', ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let summary = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      summary = (summary + text).slice(-20_000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      totals.passed += count(summary, /^(?:[#ℹ] pass (\d+)|\s+(\d+) passed)/gm);
      totals.failed += count(summary, /^(?:[#ℹ] fail (\d+)|\s+(\d+) failed)/gm);
      totals.skipped += count(summary, /^(?:[#ℹ] skipped (\d+)|\s+(\d+) skipped)/gm);
      resolve(code === 0);
    });
  });
}

/** @param {string} text @param {RegExp} pattern */
function count(text, pattern) {
  // eslint-disable-next-line no-control-regex -- colour codes around the summary
  const plain = text.replace(/\x1b\[[0-9;]*m/g, '');
  return [...plain.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1] ?? match[2]), 0);
}
