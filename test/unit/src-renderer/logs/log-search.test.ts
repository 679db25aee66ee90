import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogBuffer } from '../../../../src-renderer/logs/log-buffer.ts';
import { compileQuery, hitsIn, LogSearch, searchedChars } from '../../../../src-renderer/logs/log-search.ts';

function filled(texts: readonly string[], buffer = new LogBuffer()): LogBuffer {
  buffer.append(texts.map((text) => ({ stream: 'stdout', time: '2026-11-22T08:00:00Z', text })));
  return buffer;
}

function searchFor(buffer: LogBuffer, text: string, regex = false): LogSearch {
  const { pattern } = compileQuery({ text, regex });
  assert.ok(pattern);
  return new LogSearch(buffer, pattern);
}

test('plain text is literal and in any case; a regular expression is one; a wrong one says so', () => {
  const buffer = filled(['GET /a.b', 'get /axb', 'POST /']);
  const literal = searchFor(buffer, 'a.b');
  literal.scan(1000);
  assert.deepEqual(literal.numbers, [0]);
  const regex = searchFor(buffer, '^get .a.b$', true);
  regex.scan(1000);
  assert.deepEqual(regex.numbers, [0, 1]);
  assert.match(compileQuery({ text: '(', regex: true }).problem ?? '', /group/i);
  assert.deepEqual(compileQuery({ text: '', regex: true }), {});
});

test('colours do not hide what is searched for', () => {
  const search = searchFor(filled(['\u001b[1mGE\u001b[0mT /', 'nothing']), 'get /');
  search.scan(1000);
  assert.deepEqual(search.numbers, [0]);
});

test('scans in slices, goes on as the log grows, and forgets lines that are gone', () => {
  const buffer = new LogBuffer({ maxLines: 1000, maxChars: 1e6, heldFactor: 1 });
  filled(
    Array.from({ length: 1000 }, (_, index) => (index % 10 === 0 ? 'hit' : 'miss')),
    buffer,
  );
  const search = searchFor(buffer, 'hit');
  // A clock that says the budget is used up after each look.
  let time = 0;
  const clock = () => (time += 100);
  search.scan(50, clock);
  assert.equal(search.complete, false);
  assert.ok(search.numbers.length > 0 && search.numbers.length < 100);
  search.scan(1e9, clock);
  assert.equal(search.numbers.length, 100);
  filled(
    Array.from({ length: 500 }, () => 'hit'),
    buffer,
  );
  search.scan(1e9, clock);
  assert.equal(search.numbers.length, 50 + 500);
  assert.equal(search.numbers[0], 500);
  filled(
    Array.from({ length: 1000 }, () => 'miss'),
    buffer,
  );
  search.scan(1e9, clock);
  assert.deepEqual(search.numbers, []);
});

test('empty hits are none and very long lines are searched only so far', () => {
  assert.deepEqual(hitsIn('aaa', /x*/g), []);
  assert.deepEqual(hitsIn('xax', /x*/g), [
    [0, 1],
    [2, 3],
  ]);
  assert.deepEqual(hitsIn(`${'a'.repeat(searchedChars)}x`, /x/g), []);
});
