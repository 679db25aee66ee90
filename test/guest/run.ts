/**
 * Runs the guest tests as root in a real, throw-away VM: `npx tsx test/guest/run.ts [--keep-console] [PATTERN …]`.
 * Only files whose name holds a pattern are run. The programs under test are the checkout's own builds
 * (`npm run build -- agent native`), put over the image's. Ends as `node --test` in the guest did.
 */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { Cleanup } from '../../src-main/cleanup.ts';
import { AppError } from '../../src-main/contract/errors.ts';
import { hostArchitecture } from '../../src-main/host.ts';
import { consoleTail } from '../../src-main/vm/console.ts';
import { testFiles } from '../../src-main/setup/test-files.mjs';
import { makeErofs } from '../../vm/image/build.ts';
import { collectOwnPrograms } from '../../vm/image/programs.ts';
import { payloadUuid } from '../../vm/image/recipe.ts';
import { checkout, openTestHost } from '../helpers/host.ts';

const bootMs = 5 * 60_000;
const testsMs = 25 * 60_000;
/** For one test; emulation is slow. */
const testMs = 5 * 60_000;

process.exitCode = await main(process.argv.slice(2));

async function main(patterns: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interrupt.abort(new Error('interrupted')));
  }
  const files = testFiles(path.join(checkout, 'test', 'guest')).filter(
    (file) => patterns.length === 0 || patterns.some((pattern) => path.basename(file).includes(pattern)),
  );
  if (files.length === 0) {
    process.stderr.write(`no guest test matches ${patterns.join(' ')}\n`);
    return patterns.length === 0 ? 0 : 1;
  }
  try {
    return await runInGuest(files, interrupt.signal);
  } catch (error) {
    const hint = error instanceof AppError && error.hint !== undefined ? `\n  What to do: ${error.hint}` : '';
    process.stderr.write(`✗ guest tests: ${error instanceof Error ? error.message : String(error)}${hint}\n`);
    return 1;
  }
}

async function runInGuest(files: readonly string[], signal: AbortSignal): Promise<number> {
  await using cleanup = new Cleanup();
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-guest-tests-'));
  cleanup.add('remove the payload', () => rm(folder, { recursive: true, force: true }));
  const payload = await makePayload(folder, files);
  const test = await openTestHost({
    devImage: true,
    extraDisks: [{ path: payload, serial: 'wherry-payload' }],
    vm: { memoryMiB: 2048 },
  });
  cleanup.add('stop the VM', () => test[Symbol.asyncDispose]());
  try {
    process.stderr.write(`• Booting a VM for ${files.length} test files\n`);
    await test.host.vm.start(AbortSignal.any([signal, AbortSignal.timeout(bootMs)]));
    const code = await runNodeTest(test.host, AbortSignal.any([signal, AbortSignal.timeout(testsMs)]));
    if (code !== 0) await showConsole(test.paths.vm.console);
    return code;
  } catch (error) {
    await showConsole(test.paths.vm.console);
    throw error;
  }
}

/** `agent/` takes the place of the image's programs; `tests/` holds one bundle for each file. */
async function makePayload(folder: string, files: readonly string[]): Promise<string> {
  const root = path.join(folder, 'payload');
  const agent = path.join(root, 'agent');
  await mkdir(agent, { recursive: true });
  for (const [name, file] of await collectOwnPrograms(checkout, hostArchitecture())) {
    await mkdir(path.dirname(path.join(agent, name)), { recursive: true });
    await copyFile(file, path.join(agent, name));
  }
  await build({
    entryPoints: [...files],
    outbase: path.join(checkout, 'test', 'guest'),
    outdir: path.join(root, 'tests'),
    absWorkingDir: checkout,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    // Bundled CommonJS packages ask for node's modules with `require`.
    banner: {
      js: "import { createRequire as requireOfTests } from 'node:module';\nconst require = requireOfTests(import.meta.url);",
    },
    external: ['*.node', 'cpu-features'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  const disk = path.join(folder, 'payload.erofs');
  await makeErofs(root, disk, payloadUuid);
  return disk;
}

async function runNodeTest(
  host: Awaited<ReturnType<typeof openTestHost>>['host'],
  signal: AbortSignal,
): Promise<number> {
  // The work folder is a tmpfs; one file at a time, since they share one kernel.
  const command = [
    'mkdir -p /tmp/tests && cd /tmp/tests &&',
    'node --enable-source-maps --test --test-reporter=spec --test-concurrency=1',
    `--test-timeout=${testMs} $(find /payload/tests -name '*.test.mjs' | sort)`,
  ].join(' ');
  const shell = await host.link.openGuestShell({ command }, signal);
  const lost = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the tests did not end in time, or were interrupted')));
    shell.stdio.on('error', reject);
  });
  shell.stdio.end();
  shell.stdio.on('data', (chunk: Buffer) => process.stdout.write(chunk));
  shell.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  return Promise.race([shell.exited, lost]);
}

async function showConsole(file: string): Promise<void> {
  process.stderr.write(`\n--- the end of the guest's console ---\n${await consoleTail(file, 8192)}\n---\n`);
}
