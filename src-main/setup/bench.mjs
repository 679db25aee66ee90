// @ts-check
/** `npm run bench`: set-up, then test/bench/run.ts; see test/bench/README.md. */
import { ensureDependencies } from './dependencies.mjs';
import { root, run, runMain } from './steps.mjs';
import { ensureSystemPackages } from './system-packages.mjs';
import path from 'node:path';

await runMain(async () => {
  await ensureDependencies();
  await ensureSystemPackages(['run', 'build', 'test']);
  await run(process.execPath, [path.join(root, 'src-main/setup/build.mjs')]);
  await run(process.execPath, [path.join(root, 'src-main/setup/image.mjs')]);
  await run(process.execPath, ['--import', 'tsx', 'test/bench/run.ts']);
});
