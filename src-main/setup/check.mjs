// @ts-check
/** `npm run check`: format, lint, types, graph, dead code, unit tests. `--fast` leaves dead code out (for landing often). */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { root, run, runMain, step } from './steps.mjs';
import { testFiles } from './test-files.mjs';

const fast = process.argv.includes('--fast');

/** @param {string} name */
const tool = (name) => path.join(root, 'node_modules', '.bin', name);

await runMain(async () => {
  await ensureDependencies();
  await step('Format (prettier)', () =>
    run(tool('prettier'), ['--check', '--log-level', 'warn', '--cache', '--cache-location', 'build/prettier', '.'], {
      hint: 'npm run format',
    }),
  );
  for (const part of ['src-main', 'src-renderer', 'vm', 'test']) {
    if (!readdirSync(path.join(root, part), { recursive: true, encoding: 'utf8' }).some((name) => /\.tsx?$/.test(name)))
      continue;
    await step(`Types: ${part}`, () => run(tool('tsc'), ['-p', part]));
  }
  await step('Lint (eslint)', () =>
    run(tool('eslint'), ['--cache', '--cache-location', 'build/eslint', '--max-warnings', '0', '.']),
  );
  await step('Architecture (dependency-cruiser)', () =>
    run(tool('depcruise'), ['--config', '.dependency-cruiser.cjs', 'src-main', 'src-renderer', 'vm', 'test'], {
      quiet: true,
    }),
  );
  if (!fast) await step('Dead code (knip)', () => run(tool('knip'), ['--cache']));
  const files = [...testFiles(path.join(root, 'test/unit')), ...testFiles(path.join(root, 'test/architecture'))];
  if (files.length > 0) {
    await step('Unit tests', () =>
      run(process.execPath, [
        '--import',
        'tsx',
        '--test',
        '--test-timeout=120000',
        fast ? '--test-reporter=dot' : '--test-reporter=spec',
        ...files,
      ]),
    );
  }
});
