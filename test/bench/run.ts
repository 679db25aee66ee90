/**
 * `npm run bench`: everything in one run on one machine, the engines side by side in the same guest. Prints a table of
 * ratios and writes `build/bench.json`. `BENCH_ONLY=run,exec` limits the guest's rows (`boot` and `window` are the host's).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startRegistry } from '../helpers/registry.ts';
import { bareKernelBoot, bootAndResume } from './boot.ts';
import { peerImage, runWithPeers } from './peer-run.ts';
import { benchWindow, formatWindow } from './window.ts';
import { formatTable, type Measurement } from './report.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
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
  const bare: number[] = [];
  const ready: { readonly boot: number; readonly resume: number }[] = [];
  for (let n = 0; n < bootCount; n++) {
    bare.push(await bareKernelBoot(peerImage.arch, peerImage.folder));
    ready.push(await bootAndResume());
  }
  const rows = [
    ['cold boot to engine ready', ready.map(({ boot }) => boot)],
    ['resume to engine ready', ready.map(({ resume }) => resume)],
  ] as const;
  for (const [row, values] of rows) {
    measured.push({ row, subject: 'bare kernel', value: Math.min(...bare), unit: 'ms' });
    measured.push({ row, subject: 'wherry', value: Math.min(...values), unit: 'ms' });
  }
}

async function benchEngines(): Promise<void> {
  await using registry = await startRegistry({ 'busybox:latest': 'busybox', 'nginx:latest': 'nginx' });
  await runWithPeers({
    program: path.join(import.meta.dirname, 'guest/main.ts'),
    settings: {
      BENCH_REGISTRY_PORT: String(registry.port),
      BENCH_COUNT: process.env['BENCH_COUNT'] ?? '15',
      BENCH_ONLY: only.filter((name) => !hostRows.includes(name)).join(','),
    },
    deadlineMs: 1_200_000,
    onLine: readLine,
  });
}

function readLine(line: string): void {
  process.stderr.write(`${line}\n`);
  const found = /BENCH (\{.*\})/.exec(line)?.[1];
  if (found !== undefined) measured.push(JSON.parse(found) as Measurement);
  if (line.includes('BENCH-FAILED')) failed.push(line);
}
