import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../../../../src-main/contract/engine.ts';
import { LogBuffer } from '../../../../src-renderer/logs/log-buffer.ts';

function line(text: string, stream: LogLine['stream'] = 'stdout'): LogLine {
  return { stream, time: '2026-11-22T08:00:00Z', text };
}

const limits = (live: number, held: number) => ({
  live: { lines: live, chars: 1e7 },
  held: { lines: held, chars: 1e7 },
});

const many = (count: number, text = 'x') => Array.from({ length: count }, (_, index) => line(`${text}${index}`));

test('keeps the newest lines and the numbers of those gone', () => {
  const buffer = new LogBuffer(limits(100, 200));
  buffer.append(many(250));
  assert.equal(buffer.size, 100);
  assert.equal(buffer.firstNumber, 150);
  assert.equal(buffer.at(0)?.text, 'x150');
  assert.equal(buffer.at(0)?.number, 150);
  assert.equal(buffer.at(99)?.text, 'x249');
  assert.equal([...buffer].length, 100);
});

test('characters count too, and one line longer than all stays', () => {
  const buffer = new LogBuffer({ live: { lines: 100, chars: 50 }, held: { lines: 100, chars: 50 } });
  buffer.append([line('a'.repeat(30)), line('b'.repeat(30)), line('c'.repeat(500))]);
  assert.equal(buffer.size, 1);
  assert.equal(buffer.at(0)?.text.length, 500);
});

test('while held, more is kept before anything goes', () => {
  const buffer = new LogBuffer(limits(100, 150));
  buffer.held = true;
  buffer.append(many(140));
  assert.equal(buffer.firstNumber, 0);
  buffer.append(many(60));
  assert.equal(buffer.size, 150);
  buffer.held = false;
  buffer.append(many(1));
  assert.equal(buffer.size, 100);
  assert.equal(buffer.firstNumber, 101);
});

test('the front is given back: a million lines through a small buffer keep their numbers', () => {
  const buffer = new LogBuffer(limits(1000, 1000));
  for (let batch = 0; batch < 1000; batch += 1) buffer.append(many(1000));
  assert.equal(buffer.firstNumber, 999_000);
  assert.equal(buffer.at(0)?.number, 999_000);
  assert.equal(buffer.at(999)?.number, 999_999);
  assert.equal(buffer.at(1000), undefined);
});

test('a colour runs on into the next line of the same stream only', () => {
  const buffer = new LogBuffer();
  buffer.append([line('\u001b[31mred'), line('other', 'stderr'), line('still red'), line('\u001b[0m'), line('plain')]);
  assert.deepEqual(
    [...buffer].map(({ start }) => start),
    [{}, {}, { fg: 1 }, { fg: 1 }, {}],
  );
});

test('older lines come in front, with lower numbers and colours of their own, as many as there is room for', () => {
  const buffer = new LogBuffer(limits(10, 14));
  buffer.append([line('\u001b[31mred'), ...many(9)]);
  assert.equal(buffer.prepend([line('\u001b[32mgreen'), line('still green')]), 2);
  assert.equal(buffer.firstNumber, -2);
  assert.deepEqual(
    [buffer.at(0), buffer.at(1), buffer.at(2)].map((kept) => [kept?.number, kept?.text.slice(-5), kept?.start]),
    [
      [-2, 'green', {}],
      [-1, 'green', { fg: 2 }],
      [0, '1mred', {}],
    ],
  );
  assert.equal(buffer.prepend(many(5, 'old')), 2, 'the newest of them');
  assert.deepEqual([buffer.at(0)?.text, buffer.at(1)?.text, buffer.size], ['old3', 'old4', 14]);
  assert.equal(buffer.prepend(many(1)), 0);
  buffer.held = true;
  buffer.append(many(1));
  assert.deepEqual([buffer.size, buffer.firstNumber], [14, -3]);
  buffer.held = false;
  buffer.append(many(1));
  assert.deepEqual([buffer.size, buffer.at(9)?.number], [10, 11]);
});
