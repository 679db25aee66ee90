import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scrollback } from '../../../../src-main/terminals/scrollback.ts';

test('keeps the newest text within its limit and begins it at a line', () => {
  const scrollback = new Scrollback(100);
  for (let n = 0; n < 1000; n += 1) scrollback.append(`line ${n}\r\n`);
  assert.ok(scrollback.text.length <= 100);
  assert.match(scrollback.text, /^line 9\d\d\r\n/);
  assert.ok(scrollback.text.endsWith('line 999\r\n'));
});

test('never begins within a character', () => {
  for (const offset of ['', 'x']) {
    const scrollback = new Scrollback(64);
    scrollback.append(offset + '🛶'.repeat(200));
    assert.ok(scrollback.text.length <= 64);
    assert.doesNotMatch(scrollback.text, /^[\udc00-\udfff]/);
    assert.ok(scrollback.text.startsWith('🛶'));
  }
});

test('what fits is kept whole', () => {
  const scrollback = new Scrollback(10);
  scrollback.append('abc');
  scrollback.append('def');
  assert.equal(scrollback.text, 'abcdef');
});
