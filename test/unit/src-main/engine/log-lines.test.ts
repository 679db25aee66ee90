import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../../../../src-main/contract/engine.ts';
import { Demultiplexer } from '../../../../src-main/engine/demultiplex.ts';
import { LogCursor, LogLineSplitter, toEngineTime } from '../../../../src-main/engine/log-lines.ts';
import { frame } from '../../../helpers/fake-engine.ts';

const time = (n: number) => `2026-01-01T00:00:${String(n).padStart(2, '0')}.000000000Z`;
const line = (n: number, text: string, stream: LogLine['stream'] = 'stdout'): LogLine => ({
  stream,
  time: time(n),
  text,
});

test('frames and lines come out the same for chunks of 1, 321 and all bytes', () => {
  const bytes = Buffer.concat([
    frame('stdout', `${time(1)} hällo\n${time(2)} two`),
    frame('stderr', `${time(3)} oh no\r\n`),
    frame('stdout', ' halves\n'),
    frame('stdout', ''),
    frame('stdout', `${time(4)} \n${time(5)} no end`),
  ]);
  for (const size of [1, 321, bytes.length]) {
    const frames = new Demultiplexer();
    const splitter = new LogLineSplitter();
    const lines: LogLine[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const piece of frames.push(bytes.subarray(at, at + size))) lines.push(...splitter.push(piece));
    }
    lines.push(...splitter.end());
    assert.deepEqual(
      lines,
      [
        line(1, 'hällo'),
        // Complete only after the other stream's line.
        line(3, 'oh no', 'stderr'),
        line(2, 'two halves'),
        line(4, ''),
        line(5, 'no end'),
      ],
      `chunks of ${size}`,
    );
  }
});

test('a malformed frame is an error, not garbage in the log', () => {
  assert.throws(() => [...new Demultiplexer().push(Buffer.from('plain text without frames'))], {
    code: 'engine',
    message: /malformed frame/,
  });
});

test('an endless line is handed out in pieces and never kept whole', () => {
  const splitter = new LogLineSplitter();
  const pieces: LogLine[] = [];
  pieces.push(...splitter.push({ stream: 'stdout', data: Buffer.from(`${time(7)} `) }));
  for (let n = 0; n < 20; n += 1) {
    pieces.push(...splitter.push({ stream: 'stdout', data: Buffer.alloc(64 * 1024, 'x') }));
  }
  assert.equal(pieces.length, 5);
  assert.ok(pieces.every((piece) => piece.time === time(7)));
});

test('after a reopening nothing comes twice and nothing is left out, also within one instant', () => {
  const cursor = new LogCursor();
  const before = [line(1, 'a'), line(2, 'b'), line(2, 'c'), line(2, 'e1', 'stderr')];
  assert.ok(before.every((each) => cursor.fresh(each)));
  assert.equal(cursor.position, time(2));
  cursor.reopen();
  // The engine begins at the position again, and more was written in that very instant.
  const again = [
    line(2, 'b'),
    line(2, 'e1', 'stderr'),
    line(2, 'c'),
    line(2, 'd'),
    line(2, 'e2', 'stderr'),
    line(3, 'f'),
  ];
  assert.deepEqual(
    again.filter((each) => cursor.fresh(each)).map(({ text }) => text),
    ['d', 'e2', 'f'],
  );
  cursor.reopen();
  assert.deepEqual(
    [line(3, 'f'), line(4, 'g')].filter((each) => cursor.fresh(each)).map(({ text }) => text),
    ['g'],
  );
});

test('a clock that steps back loses no line', () => {
  const cursor = new LogCursor();
  assert.deepEqual(
    [line(5, 'a'), line(2, 'b'), line(3, 'c')].map((each) => cursor.fresh(each)),
    [true, true, true],
  );
});

test('times are given to the engine with all their digits', () => {
  assert.equal(toEngineTime('2026-01-01T00:00:01.123456789Z'), '1767225601.123456789');
  assert.equal(toEngineTime('2026-01-01T00:00:01.5Z'), '1767225601.500000000');
  assert.equal(toEngineTime('2026-01-01T00:00:01Z'), '1767225601.000000000');
});
