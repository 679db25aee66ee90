// @ts-check
/** `npm run check`: format, lint, types, graph, dead code, unit tests. `--fast` leaves dead code out (for landing often). */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { root, run, runMain, step } from './steps.mjs';
import { testFiles } from './test-files.mjs';

const fast = process.argv.includes('--fast');

/** @param {string} name */
const tool = (name) => path.join(root, 'node_modules', '.bin', name);

await runMain(async () => {
  await ensureDependencies();
  // The linter is one thread, and needs about as long as format, types and graph together.
  await together(lint, async () => {
    await formatTypesAndGraph();
    await unitTests();
  });
});

async function unitTests() {
  const files = [...testFiles(path.join(root, 'test/unit')), ...testFiles(path.join(root, 'test/architecture'))];
  await step('Unit tests', () =>
    run(process.execPath, [
      ...['--import', 'tsx', '--test', '--test-timeout=240000'],
      `--test-concurrency=${availableParallelism()}`,
      fast ? '--test-reporter=dot' : '--test-reporter=spec',
      ...files,
    ]),
  );
}

async function lint() {
  await step('Lint (eslint)', () =>
    run(tool('eslint'), ['--cache', '--cache-location', 'build/eslint', '--max-warnings', '0', '.'], { quiet: true }),
  );
}

async function formatTypesAndGraph() {
  await step('Format (prettier)', () =>
    run(tool('prettier'), ['--check', '--log-level', 'warn', '--cache', '--cache-location', 'build/prettier', '.'], {
      hint: 'npm run format',
    }),
  );
  for (const part of ['src-main', 'src-renderer', 'vm', 'test']) {
    await step(`Types: ${part}`, () => run(tool('tsc'), ['-p', part]));
  }
  await step('Architecture (dependency-cruiser)', () =>
    run(tool('depcruise'), ['--config', '.dependency-cruiser.cjs', 'src-main', 'src-renderer', 'vm', 'test'], {
      quiet: true,
    }),
  );
  if (!fast) await step('Dead code (knip)', () => run(tool('knip'), ['--cache']));
}

/**
 * Both to their end, so that one run names what is wrong in either.
 * @param {(() => Promise<void>)[]} lanes
 */
async function together(...lanes) {
  const ends = await Promise.allSettled(lanes.map((lane) => lane()));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
