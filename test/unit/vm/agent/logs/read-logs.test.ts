/** Reading logs: framing, tail, rotation, following. Lines are written as the monitor writes them. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { LogEntry } from '../../../../../vm/agent/logs/log-entry.ts';
import { readLogs } from '../../../../../vm/agent/logs/read-logs.ts';
import type { LogRequest } from '../../../../../vm/agent/logs/read-logs.ts';

const all: LogRequest = {
  stdout: true,
  stderr: true,
  timestamps: false,
  since: undefined,
  until: undefined,
  framed: false,
  tail: undefined,
};
const never = new AbortController().signal;

function time(second: number): string {
  return `2026-01-02T03:04:${String(second).padStart(2, '0')}.000000001Z`;
}

function line(text: string, stream = 'stdout', second = 0): string {
  return `{"log":${JSON.stringify(text)},"stream":"${stream}","time":"${time(second)}"}\n`;
}

function logFile(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-logs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'container.log');
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const list: Buffer[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}

async function read(file: string, request: Partial<LogRequest> = {}): Promise<string> {
  const chunks = await collect(readLogs(file, { ...all, ...request }, undefined, never));
  return Buffer.concat(chunks).toString();
}

test('text comes back byte for byte, whatever was escaped', async (t) => {
  const file = logFile(t);
  const texts = [
    'plain\n',
    '',
    'tab\t"quoted" \\n back\\\n',
    'no newline',
    'ends in \\n',
    '\u0000\u001b[31mé日本\n',
    '\\\\\n',
  ];
  writeFileSync(file, texts.map((text) => line(text)).join(''));
  assert.equal(await read(file), texts.join(''));
});

test('which entries end a line', () => {
  const ends = (text: string): boolean | undefined => LogEntry.from(Buffer.from(line(text).trimEnd()))?.endsLine;
  assert.equal(ends('a\n'), true);
  assert.equal(ends('a'), false);
  assert.equal(ends('a\\n'), false);
  assert.equal(ends('a\\\n'), true);
  assert.equal(LogEntry.from(Buffer.from('{"log":"torn')), undefined);
});

test('frames name the stream and the length; a chosen stream comes alone', async (t) => {
  const file = logFile(t);
  writeFileSync(file, line('out\n') + line('err\n', 'stderr'));
  assert.equal(await read(file, { framed: true }), '\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n');
  assert.equal(await read(file, { stdout: false }), 'err\n');
});

test('time stamps: once a line, also when it was kept in parts', async (t) => {
  const file = logFile(t);
  writeFileSync(file, line('part ', 'stdout', 1) + line('whole\n', 'stdout', 2) + line('next\n', 'stdout', 3));
  assert.equal(await read(file, { timestamps: true }), `${time(1)} part whole\n${time(3)} next\n`);
});

test('since and until, both included', async (t) => {
  const file = logFile(t);
  writeFileSync(file, [1, 2, 3, 4].map((second) => line(`${second}\n`, 'stdout', second)).join(''));
  assert.equal(await read(file, { since: time(2), until: time(3) }), '2\n3\n');
});

test('tail counts whole lines, over rotated files and read blocks', async (t) => {
  const file = logFile(t);
  const numbers = Array.from({ length: 3000 }, (_, index) => `line ${index} ${'x'.repeat(50)}\n`);
  writeFileSync(
    `${file}.1`,
    numbers
      .slice(0, 2990)
      .map((text) => line(text))
      .join(''),
  );
  writeFileSync(
    file,
    numbers
      .slice(2990)
      .map((text) => line(text))
      .join(''),
  );
  for (const count of [0, 1, 10, 11, 1500, 3000, 9999]) {
    assert.equal(await read(file, { tail: count }), count === 0 ? '' : numbers.slice(-count).join(''), `tail ${count}`);
  }
  appendFileSync(file, line('in ') + line('parts\n') + line('last, no newline'));
  assert.equal(await read(file, { tail: 2 }), 'in parts\nlast, no newline');
});

test('a torn last line is left out, a torn one in the middle skipped', async (t) => {
  const file = logFile(t);
  writeFileSync(file, `${line('a\n')}{"log":"torn\n${line('b\n')}{"log":"being wri`);
  assert.equal(await read(file), 'a\nb\n');
  assert.equal(await read(file, { tail: 1 }), 'b\n');
});

test('no log at all reads as empty', async (t) => {
  assert.equal(await read(logFile(t)), '');
});

test('following: what is written, over a rotation, until the container ends; no line lost or twice', async (t) => {
  const file = logFile(t);
  writeFileSync(file, line('0\n'));
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const received: string[] = [];
  const reading = (async () => {
    for await (const chunk of readLogs(file, all, { ended }, never)) received.push(chunk.toString());
  })();
  for (let number = 1; number < 40; number += 1) {
    appendFileSync(file, line(`${number}\n`));
    if (number % 10 === 5) {
      renameSync(file, `${file}.1`);
      writeFileSync(file, '');
    }
    await sleep(5);
  }
  appendFileSync(file, line('last\n'));
  end();
  await reading;
  const expected = [...Array.from({ length: 40 }, (_, number) => String(number)), 'last'];
  assert.deepEqual(received.join('').trim().split('\n'), expected);
});

test('following ends when the client leaves', async (t) => {
  const file = logFile(t);
  writeFileSync(file, line('0\n'));
  const aborter = new AbortController();
  const ended = new Promise<void>(() => undefined);
  const reading = readLogs(file, all, { ended }, aborter.signal)[Symbol.asyncIterator]();
  assert.equal(String((await reading.next()).value), '0\n');
  aborter.abort();
  assert.equal((await reading.next()).done, true);
});

test('following a log of one file that is cut when full', async (t) => {
  const file = logFile(t);
  writeFileSync(file, line('before, and long enough\n'));
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const reading = readLogs(file, all, { ended }, never)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await reading.next()).value);
  assert.equal(await next(), 'before, and long enough\n');
  writeFileSync(file, '');
  appendFileSync(file, line('after\n'));
  assert.equal(await next(), 'after\n');
  end();
  assert.equal((await reading.next()).done, true);
});
