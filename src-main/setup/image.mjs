// @ts-check
/** `npm run image`: builds the guest's programs and its system image (dist/guest/<arch>), when anything in them changed. */
import path from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { root, run, runMain, step } from './steps.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

await runMain(async () => {
  await ensureDependencies();
  await ensureSystemPackages(['build']);
  await run(process.execPath, [path.join(root, 'src-main/setup/build.mjs'), 'agent', 'native']);
  await step('Building the guest image', () =>
    run(process.execPath, ['--import', 'tsx', 'vm/image/build.ts', ...process.argv.slice(2)]),
  );
});
