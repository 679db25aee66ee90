/** Every suite of the named folders in one process, and so in one VM, and then what they left there: `npx tsx test/docker/run.ts test/docker test/slow`. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { testFiles } from '../../src-main/setup/test-files.mjs';

for (const folder of process.argv.slice(2))
  for (const file of testFiles(path.resolve(folder))) await import(pathToFileURL(file).href);
await import('./nothing-left.ts');
