/** What the fake host's streams carry: logs, pulls, a terminal that echoes, a serial console. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../src-main/contract/errors.ts';
import type { LogLine } from '../../src-main/contract/engine.ts';
import type { PullProgress } from '../../src-main/engine/api.ts';

export type LogStyle = 'web' | 'flood' | 'million' | 'hostile' | 'silent' | 'numbered';

const esc = '\u001b';
const webLines: readonly string[] = [
  '172.17.0.1 - - "GET / HTTP/1.1" 200 615 "-" "Mozilla/5.0"',
  `${esc}[32mINFO${esc}[0m  worker 3 ready in ${esc}[1m41 ms${esc}[0m`,
  `${esc}[33mWARN${esc}[0m  upstream ${esc}[36morders${esc}[0m answered slowly: ${esc}[1;33m1.8 s${esc}[0m`,
  '172.17.0.1 - - "GET /assets/app.css HTTP/1.1" 304 0 "http://localhost:8080/" "Mozilla/5.0"',
  `${esc}[31mERROR${esc}[0m failed to open "/usr/share/nginx/html/favicon.ico" (2: No such file or directory)`,
  '{"level":"info","ts":1763798400.123,"caller":"http/server.go:88","msg":"request","path":"/api/orders","ms":12}',
  `${esc}[38;5;208mcache${esc}[0m ${esc}[38;2;120;180;255mhit ratio 0.93${esc}[0m ${esc}[2m(last minute)${esc}[0m`,
  '172.17.0.1 - - "POST /api/orders HTTP/1.1" 201 88 "-" "curl/8.14"',
];

const hostileLines: readonly string[] = [
  '<b>bold?</b> <script>window.hacked = 1</script> <img src=x onerror="window.hacked = 1">',
  `${esc}]0;new title\u0007${esc}[2J${esc}[Hcleared? ${esc}[999;999H${esc}P+q544e${esc}\\ no`,
  'reversed \u202e gnp.exe \u202c end, zero\u200bwidth, bell \u0007, null \u0000',
  'مرحبا بالعالم שלום עולם 日本語 한국어 🚣‍♀️',
  'progress 10%\rprogress 55%\rprogress 100%',
  'L'.repeat(100_000),
  `unfinished ${esc}[31`,
  `${esc}[41;97m colours run on`,
  'into the next line until reset',
  `${esc}[0mreset`,
];

function stamp(timeMs: number, nano: number): string {
  return new Date(timeMs).toISOString().replace('Z', `${String(nano % 1_000_000).padStart(6, '0')}Z`);
}

function lineAt(style: LogStyle, index: number, timeMs: number): LogLine {
  const source = style === 'hostile' ? hostileLines : webLines;
  const text = source[index % source.length] ?? '';
  const numbered = style === 'web' || style === 'hostile' ? text : `${String(index).padStart(7, '0')} ${text}`;
  return { stream: index % 8 === 4 ? 'stderr' : 'stdout', time: stamp(timeMs, index * 7), text: numbered };
}

function batch(style: LogStyle, from: number, count: number, timeMs: (index: number) => number): { lines: LogLine[] } {
  return { lines: Array.from({ length: count }, (_, index) => lineAt(style, from + index, timeMs(from + index))) };
}

interface LogInput {
  readonly tail: number | 'all';
  readonly since?: string;
  readonly until?: string;
  readonly follow: boolean;
}

/** History first (at most `tail` lines of it, less those after `until`), then live lines until aborted. */
export async function* logs(style: LogStyle, { tail, since, until, follow }: LogInput, signal: AbortSignal) {
  if (style === 'numbered') {
    yield* numbered(since, signal);
    return;
  }
  if (style === 'silent') {
    await idle(signal);
    return;
  }
  const kept = style === 'million' ? 1_000_000 : style === 'hostile' ? hostileLines.length : 240;
  const first = since === undefined ? Math.max(0, kept - (tail === 'all' ? kept : tail)) : kept;
  const end = until === undefined ? kept : Math.min(kept, Math.floor(Date.parse(until) - historyStartMs) + 1);
  for (let next = first; next < end; next += 1000) {
    yield batch(style, next, Math.min(1000, end - next), (index) => historyStartMs + index);
  }
  if (!follow) return;
  let next = kept;
  while (!signal.aborted && style !== 'hostile' && style !== 'million') {
    const count = style === 'flood' ? 1000 : 1;
    const nowMs = Date.now();
    yield batch(style, next, count, () => nowMs);
    next += count;
    await sleep(style === 'flood' ? 20 : 450, undefined, { signal }).catch(() => undefined);
  }
  await idle(signal);
}

/** Old lines are a millisecond apart. */
const historyStartMs = Date.now() - 1_000_000;
const numberedStepMs = 50;
const numberedStartMs = Date.now() - 3000;

/** A line every 50 ms since this file was loaded, whoever listens: what comes again after a break can be told. */
async function* numbered(since: string | undefined, signal: AbortSignal) {
  // As Docker does, `since` takes in the line it names.
  let next = since === undefined ? 0 : Math.round((Date.parse(since) - numberedStartMs) / numberedStepMs);
  while (!signal.aborted) {
    const lines: LogLine[] = [];
    for (; numberedStartMs + next * numberedStepMs <= Date.now(); next += 1) {
      lines.push({ stream: 'stdout', time: stamp(numberedStartMs + next * numberedStepMs, 0), text: `line ${next};` });
    }
    if (lines.length > 0) yield { lines };
    await sleep(numberedStepMs, undefined, { signal }).catch(() => undefined);
  }
}

async function idle(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** A pull of six layers; references with telling names fail as a registry would. */
export async function* pull(reference: string, stepMs: number, signal: AbortSignal): AsyncGenerator<PullProgress> {
  if (reference.includes('unknown')) {
    throw new AppError('not-found', `pull ${reference}: manifest unknown`, {
      hint: 'Check the name and the tag; a private image needs a login.',
      status: 404,
    });
  }
  yield { layer: '', status: `Pulling from ${reference.split(':')[0] ?? ''}` };
  const sizes = [29_100_000, 44_300_000, 628, 956, 402, 1_400];
  const ids = sizes.map((_, index) => `a${index}c9f3b7e1d${index}`);
  for (const layer of ids) yield { layer, status: 'Pulling fs layer' };
  yield { layer: ids[5] ?? '', status: 'Already exists' };
  const steps = 30;
  for (let step = 1; step <= steps; step += 1) {
    await sleep(stepMs, undefined, { signal });
    for (const [index, totalBytes] of sizes.slice(0, 5).entries()) {
      const part = Math.min(1, (step / steps) * (index === 0 ? 1.6 : 1.05));
      yield { layer: ids[index] ?? '', status: 'Downloading', currentBytes: Math.floor(totalBytes * part), totalBytes };
    }
    if (step === 12 && reference.includes('broken')) {
      throw new AppError('engine', `pull ${reference}: layer ${ids[1] ?? ''}: digest does not match`, {
        hint: 'The registry sent other bytes than it promised. Try again, or ask its owner.',
        status: 500,
      });
    }
  }
  for (const [index, totalBytes] of sizes.slice(0, 5).entries()) {
    const layer = ids[index] ?? '';
    yield { layer, status: 'Download complete' };
    for (const part of [0.3, 0.7, 1]) {
      await sleep(stepMs, undefined, { signal });
      yield { layer, status: 'Extracting', currentBytes: Math.floor(totalBytes * part), totalBytes };
    }
    yield { layer, status: 'Pull complete' };
  }
  yield { layer: '', status: `Digest: sha256:${'ab12'.repeat(16)}` };
  yield { layer: '', status: `Status: Downloaded newer image for ${reference}` };
}

export const consoleText = [
  '[    0.000000] Linux version 6.1.0-41-cloud-amd64 (debian-kernel@lists.debian.org)',
  '[    0.412007] virtio_blk virtio1: [vda] 131072 512-byte logical blocks (67.1 MB/64.0 MiB)',
  `[    1.204511] ${esc}[32merofs${esc}[0m: (device vda): mounted with root inode @ nid 36.`,
  'wherry: stage init',
  'wherry: stage seed',
  'wherry: stage network',
  'wherry: stage agent',
]
  .map((line) => `${line}\r\n`)
  .join('');
