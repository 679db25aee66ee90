/**
 * `npm run bench`: everything in one run on one machine, the engines side by side in the same guest. Prints a table of
 * ratios and writes `build/bench.json`. `BENCH_ONLY=run,exec` limits the guest's rows (`boot` and `window` are the host's).
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { runPayload } from '../../vm/image/run.ts';
import { lineReader } from '../helpers/lines.ts';
import { startRegistry } from '../helpers/registry.ts';
import { bareKernelBoot, coldBoot } from './boot.ts';
import { buildPeers } from './peers.ts';
import { benchWindow, formatWindow } from './window.ts';
import { formatTable, type Measurement } from './report.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const arch = 'amd64';
const imageFolder = path.join(root, 'dist/guest', arch);
const bootCount = 3;
const hostRows = ['boot', 'window'];

const only = (process.env['BENCH_ONLY'] ?? '').split(',').filter((name) => name !== '');
const measured: Measurement[] = [];
const failed: string[] = [];

if (only.length === 0 || only.includes('boot')) await benchBoot();
if (only.length === 0 || only.some((name) => !hostRows.includes(name))) await benchEngines();
const seen = only.length === 0 || only.includes('window') ? await benchWindow() : undefined;
await mkdir(path.join(root, 'build'), { recursive: true });
await writeFile(path.join(root, 'build/bench.json'), JSON.stringify({ measured, window: seen }, undefined, 2));
process.stdout.write(`\n${formatTable(measured)}\n`);
if (seen !== undefined) process.stdout.write(`\n${formatWindow(seen)}\n`);
for (const line of failed) process.stdout.write(`${line}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;

async function benchBoot(): Promise<void> {
  const row = 'cold boot to engine ready';
  const bare: number[] = [];
  const ready: number[] = [];
  for (let n = 0; n < bootCount; n++) {
    bare.push(await bareKernelBoot(arch, imageFolder));
    ready.push(await coldBoot());
  }
  measured.push({ row, subject: 'bare kernel', value: Math.min(...bare), unit: 'ms' });
  measured.push({ row, subject: 'wherry', value: Math.min(...ready), unit: 'ms' });
}

async function benchEngines(): Promise<void> {
  await using registry = await startRegistry({ 'busybox:latest': 'busybox', 'nginx:latest': 'nginx' });
  const payload = await mkdtemp(path.join(os.tmpdir(), 'wherry-bench-'));
  try {
    const peers = path.join(root, 'build/bench/peers');
    await buildPeers(arch, path.join(root, 'build/bench'), peers);
    await cp(peers, path.join(payload, 'peers'), { recursive: true, verbatimSymlinks: true });
    await cp(path.join(import.meta.dirname, 'guest/run.sh'), path.join(payload, 'run.sh'));
    await writeFile(
      path.join(payload, 'settings'),
      [
        `BENCH_REGISTRY_PORT=${String(registry.port)}`,
        `BENCH_COUNT=${process.env['BENCH_COUNT'] ?? '15'}`,
        `BENCH_ONLY=${only.filter((name) => !hostRows.includes(name)).join(',')}`,
        '',
      ].join('\n'),
    );
    await build({
      entryPoints: [path.join(import.meta.dirname, 'guest/main.ts')],
      outfile: path.join(payload, 'bench.mjs'),
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      logLevel: 'warning',
    });
    await runPayload(
      {
        arch,
        image: imageFolder,
        append: [],
        memoryMib: 4096,
        cpus: 2,
        deadlineMs: 1_200_000,
        sshPort: undefined,
        payload,
      },
      lineReader(readLine),
      AbortSignal.timeout(1_200_000),
    );
  } finally {
    await rm(payload, { recursive: true, force: true });
  }
}

function readLine(line: string): void {
  process.stderr.write(`${line}\n`);
  const found = /BENCH (\{.*\})/.exec(line)?.[1];
  if (found !== undefined) measured.push(JSON.parse(found) as Measurement);
  if (line.includes('BENCH-FAILED')) failed.push(line);
}
