import assert from 'node:assert/strict';
import fs from 'node:fs';
import type { Duplex } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  create,
  demultiplex,
  logText,
  readAll,
  readLog,
  run,
  start,
  stallMs,
  stopSpawner,
  until,
  type LaunchOptions,
} from './runtime-fixture.ts';

after(stopSpawner);

const all = { stdin: true, stdout: true, stderr: true };
const stdin = { openStdin: true, stdinOnce: true };
const terminal: LaunchOptions = { process: { terminal: true, env: ['PATH=/bin', 'TERM=xterm'] } };

/** Collects until the text is there. */
async function waitFor(stream: Duplex, text: string): Promise<string> {
  let seen = '';
  stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await until(`${JSON.stringify(text)} in the stream`, () => seen.includes(text));
  return seen;
}

test('attached before the start, a client gets all there is, each stream apart, and the end', async (t) => {
  const { container, request } = await create(t, ['sh', '-c', 'echo out; echo err >&2; seq 1 20000']);
  const stream = await container.attach({ stdin: false, stdout: true, stderr: true });
  const reading = readAll(stream);
  await container.go();
  const { stdout, stderr } = demultiplex(await reading);
  const numbers = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('');
  assert.equal(stdout, `out\n${numbers}`);
  assert.equal(stderr, 'err\n');
  await container.exited;
  const log = readLog(request.log?.path ?? '');
  assert.deepEqual(
    log.filter((entry) => entry.stream === 'stderr').map((entry) => entry.log),
    ['err\n'],
  );
  const logged = log.filter((entry) => entry.stream === 'stdout');
  assert.equal(logged.map((entry) => entry.log).join(''), stdout);
  for (const entry of log) assert.match(entry.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
});

test('only the streams asked for are sent', async (t) => {
  const { container } = await create(t, ['sh', '-c', 'echo out; echo err >&2']);
  const [out, err] = await Promise.all([
    container.attach({ stdin: false, stdout: true, stderr: false }),
    container.attach({ stdin: false, stdout: false, stderr: true }),
  ]);
  const reading = Promise.all([readAll(out), readAll(err)]);
  await container.go();
  const [first, second] = await reading;
  assert.deepEqual(demultiplex(first), { stdout: 'out\n', stderr: '' });
  assert.deepEqual(demultiplex(second), { stdout: '', stderr: 'err\n' });
});

test('input reaches the process; the end of it too, when stdin is for one client', async (t) => {
  const { container } = await create(t, ['wc', '-c'], { request: stdin });
  const stream = await container.attach(all);
  await container.go();
  const size = 300_000;
  stream.end(Buffer.alloc(size, 'x'));
  assert.equal(demultiplex(await readAll(stream)).stdout, `${size}\n`);
  assert.equal((await container.exited).exitCode, 0);
});

test('with stdin kept open, a client’s end does not end it', async (t) => {
  const { container } = await start(t, ['sh', '-c', 'read a; echo "got $a"; read b; echo "got $b"'], {
    request: { openStdin: true },
  });
  const first = await container.attach(all);
  const reading = readAll(first);
  first.end('one\n');
  const second = await container.attach({ ...all, stdout: false, stderr: false });
  await sleep(100);
  second.write('two\n');
  assert.equal(demultiplex(await reading).stdout, 'got one\ngot two\n');
});

test('a terminal: raw, sized, resized, controlling, and logged as stdout', async (t) => {
  const script = 'tty; stty size; trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.1; done';
  const { container, request } = await create(t, ['sh', '-c', script], {
    ...terminal,
    process: { ...terminal.process, consoleSize: { width: 90, height: 30 } },
    request: { openStdin: true },
  });
  assert.equal(container.tty, true);
  const stream = await container.attach(all);
  await container.go();
  const seen = await waitFor(stream, 'ready');
  assert.match(seen, /\/dev\/pts\/0\r\n30 90\r\nready/);
  await container.resize({ columns: 100, rows: 40 });
  assert.equal((await container.exited).exitCode, 3);
  assert.match(logText(request), /ready\r\n40 100\r\n$/);
  assert.deepEqual([...new Set(readLog(request.log?.path ?? '').map((entry) => entry.stream))], ['stdout']);
});

test('Ctrl-C typed into a terminal interrupts', async (t) => {
  const { container } = await create(t, ['sh', '-c', 'trap "exit 9" INT; echo ready; while :; do sleep 0.1; done'], {
    ...terminal,
    request: { openStdin: true },
  });
  const stream = await container.attach(all);
  await container.go();
  await waitFor(stream, 'ready');
  stream.write('\x03');
  assert.equal((await container.exited).exitCode, 9);
});

test('the log: parts of long lines, broken text, quotes, a last line without end', async (t) => {
  const script = String.raw`
    head -c 40000 /dev/zero | tr '\0' a; echo; head -c 16384 /dev/zero | tr '\0' b; echo
    printf 'tab\t quote" back\\ bell\007 bad\377 \303\251\n'; printf 'no end'`;
  const { request } = await run(t, ['sh', '-c', script]);
  const lines = readLog(request.log?.path ?? '').map((entry) => entry.log);
  assert.deepEqual(
    lines.map((line) => line.length),
    [16384, 16384, 40000 - 2 * 16384 + 1, 16384, 1, lines[5]?.length, 6],
  );
  assert.equal(lines[5], 'tab\t quote" back\\ bell\u0007 bad\ufffd é\n');
  assert.equal(lines[6], 'no end');
});

test('a long line is not cut inside a character', async (t) => {
  const { request } = await run(t, [
    'sh',
    '-c',
    String.raw`printf x; for i in $(seq 8200); do printf '\303\251'; done; echo`,
  ]);
  const lines = readLog(request.log?.path ?? '').map((entry) => entry.log);
  assert.equal(lines.join(''), `x${'é'.repeat(8200)}\n`);
});

test('the log is rotated by size and count, losing only the oldest', async (t) => {
  const size = 4096;
  const { request } = await run(t, ['seq', '1', '400'], {
    request: { log: { path: '/var/lib/wherry/test-runtime/rotated.log', maxSizeBytes: size, maxFiles: 3 } },
  });
  const file = request.log?.path ?? '';
  const files = [`${file}.2`, `${file}.1`, file];
  t.after(() => files.forEach((name) => fs.rmSync(name, { force: true })));
  assert.equal(fs.existsSync(`${file}.3`), false);
  const numbers = files.flatMap((name) => readLog(name).map((entry) => Number(entry.log)));
  assert.equal(numbers.at(-1), 400);
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, index) => 401 - numbers.length + index),
  );
  for (const name of files.slice(0, 2)) {
    const { size: actual } = fs.statSync(name);
    assert.ok(actual >= size && actual < 2 * size, `${name} holds ${actual}`);
  }
});

test('a client that takes nothing is dropped; the container, the log and the other client go on', async (t) => {
  const { container, request } = await create(t, ['sh', '-c', 'seq 1 120000; echo done']);
  const stalled = await container.attach({ stdin: false, stdout: true, stderr: true });
  stalled.on('error', () => undefined).pause();
  const reader = await container.attach({ stdin: false, stdout: true, stderr: true });
  const reading = readAll(reader);
  await container.go();
  assert.match(demultiplex(await reading).stdout, /120000\ndone\n$/);
  assert.equal((await container.exited).exitCode, 0);
  const log = fs.readFileSync(request.log?.path ?? '', 'utf8');
  assert.match(log.slice(-400), /120000\\n.*\n.*"done\\n/);
  stalled.destroy();
});

test('a patient client that takes nothing for long holds the process back, and gets everything', async (t) => {
  const { container } = await create(t, ['seq', '1', '120000']);
  const stream = await container.attach({ stdin: false, stdout: true, stderr: true, patient: true });
  await container.go();
  const ended = container.exited.then(() => true);
  assert.equal(await Promise.race([ended, sleep(2 * stallMs, false)]), false, 'it waits');
  assert.match(demultiplex(await readAll(stream)).stdout, /^1\n2\n[^]*\n119999\n120000\n$/);
  assert.ok(await ended);
});

test('a slow client gets everything', async (t) => {
  const { container } = await create(t, ['seq', '1', '100000']);
  const stream = await container.attach({ stdin: false, stdout: true, stderr: true });
  await container.go();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    if (chunks.length < 10) await sleep(50);
  }
  assert.match(demultiplex(Buffer.concat(chunks)).stdout, /\n99999\n100000\n$/);
});

test('without a log, output goes to clients only', async (t) => {
  const { container, request } = await create(t, ['echo', 'seen'], { request: { log: undefined } });
  const stream = await container.attach({ stdin: false, stdout: true, stderr: true });
  await container.go();
  assert.equal(demultiplex(await readAll(stream)).stdout, 'seen\n');
  assert.equal(fs.readdirSync(request.exitRecordPath.replace('/exit.json', '')).includes('container.log'), false);
});
