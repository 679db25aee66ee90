import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAgo, formatBytes, formatDuration, shortId } from '../../../../src-renderer/format/quantities.ts';
import { visibleLine, visibleText } from '../../../../src-renderer/format/unsafe-text.ts';

test('sizes are decimal with three digits at most', () => {
  const cases = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [999_949, '1.00 MB'],
    [71_200_000, '71.2 MB'],
    [438_000_000, '438 MB'],
    [1.24e9, '1.24 GB'],
    [5e15, '5000 TB'],
    [-1, '–'],
    [Number.NaN, '–'],
  ] as const;
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('times are relative, and a time that never was is a dash', () => {
  const now = Date.UTC(2026, 10, 22, 12);
  assert.equal(formatAgo(now - 2000, now), 'just now');
  assert.equal(formatAgo(now - 61_000, now), '1 minute ago');
  assert.equal(formatAgo(now - 3 * 3_600_000, now), '3 hours ago');
  assert.equal(formatAgo(now - 40 * 86_400_000, now), '5 weeks ago');
  assert.equal(formatAgo(0, now), '–');
  assert.equal(formatAgo(-62_135_596_800_000, now), '–');
  assert.equal(formatAgo(now + 60_000, now), 'just now');
});

test('durations and ids are short', () => {
  assert.equal(formatDuration(420), '420 ms');
  assert.equal(formatDuration(6310), '6.3 s');
  assert.equal(formatDuration(125_000), '2 min 5 s');
  assert.equal(formatDuration(11_400_000), '3 h 10 min');
  assert.equal(shortId(`sha256:${'ab'.repeat(32)}`), 'abababababab');
});

test('invisible, moving and direction-turning characters become visible', () => {
  assert.equal(visibleText('a\u0000b\nc\u001b[31m\u007f'), 'a␀b␊c␛[31m␡');
  assert.equal(visibleText('\u202egnp.exe'), '⟨202E⟩gnp.exe');
  assert.equal(visibleText('zero\u200bwidth\ufeff'), 'zero⟨200B⟩width⟨FEFF⟩');
  assert.equal(visibleText('x'.repeat(1000)).length, 301);
  assert.equal(visibleLine('a\tb\u0007'), 'a\tb␇');
  // What people write stays as it is, joined emoji included.
  assert.equal(visibleText('مرحبا 日本語 🚣‍♀️'), 'مرحبا 日本語 🚣‍♀️');
});
