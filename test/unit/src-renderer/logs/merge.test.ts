import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MergeWindow } from '../../../../src-renderer/logs/merge-window.ts';
import { ResumePoint } from '../../../../src-renderer/logs/resume-point.ts';

const line = (second: string, text: string) => ({
  stream: 'stdout' as const,
  time: `2026-01-01T00:00:${second}Z`,
  text,
});
const texts = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text).join('');

test('old lines wait until all are in, and come out in order of time', () => {
  const window = new MergeWindow(0, 2);
  window.add([line('01', 'a'), line('03', 'c')], 0, 100);
  assert.equal(texts(window.take(200)), '');
  window.add([line('02', 'b'), line('03.5', 'd')], 1, 300);
  assert.equal(texts(window.take(600)), '');
  const out = window.take(700);
  assert.equal(texts(out), 'abcd');
  assert.deepEqual(
    out.map(({ origin }) => origin),
    [0, 1, 0, 1],
  );
});

test('a log that never rests does not hold up the first look for ever', () => {
  const window = new MergeWindow(0, 2);
  for (let atMs = 0; atMs <= 3000; atMs += 100) window.add([line('01', '.')], 0, atMs);
  assert.equal(texts(window.take(2999)), '');
  assert.equal(texts(window.take(3000)).length, 31);
});

test('a log that has given nothing yet is waited for somewhat longer', () => {
  const window = new MergeWindow(0, 2);
  window.add([line('02', 'b')], 0, 100);
  assert.equal(texts(window.take(1000)), '');
  window.add([line('01', 'a')], 1, 1000);
  assert.equal(texts(window.take(1300)), '');
  assert.equal(texts(window.take(1400)), 'ab');
  const silent = new MergeWindow(0, 2);
  silent.add([line('01', 'a')], 0, 100);
  assert.equal(texts(silent.take(1100)), 'a');
});

test('live lines are held for a moment, so that an earlier one elsewhere can come first', () => {
  const window = new MergeWindow(0, 2);
  assert.equal(texts(window.take(1000)), '');
  window.add([line('09', 'late')], 0, 1000);
  window.add([line('08', 'early ')], 1, 1100);
  assert.equal(texts(window.take(1300)), '');
  assert.equal(texts(window.take(1500)), 'early late');
  assert.equal(texts(window.take(2000)), '');
});

test('lines of one time keep their order within a log', () => {
  const window = new MergeWindow(0, 2);
  window.add([line('01', '1'), line('01', '2')], 1, 0);
  window.add([line('01', 'a'), line('01', 'b')], 0, 0);
  assert.equal(texts(window.take(5000)), 'ab12');
});

test('after a break nothing comes twice and nothing is left out', () => {
  const point = new ResumePoint();
  assert.equal(point.time, undefined);
  assert.equal(texts(point.fresh([line('01', 'a'), line('02', 'b'), line('02', 'b')])), 'abb');
  point.resume();
  assert.equal(point.time, '2026-01-01T00:00:02Z');
  assert.equal(texts(point.fresh([line('01', 'a'), line('02', 'b'), line('02', 'b'), line('02', 'b')])), 'b');
  assert.equal(texts(point.fresh([line('03', 'c')])), 'c');
  // Live, a clock that steps back is believed.
  assert.equal(texts(point.fresh([line('01', 'x')])), 'x');
});
