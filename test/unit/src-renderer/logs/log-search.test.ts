import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogBuffer } from '../../../../src-renderer/logs/log-buffer.ts';
import { compileQuery, hitsIn, LogSearch, searchedChars } from '../../../../src-renderer/logs/log-search.ts';

function filled(texts: readonly string[], buffer = new LogBuffer()): LogBuffer {
  buffer.append(texts.map((text) => ({ stream: 'stdout', time: '2026-11-22T08:00:00Z', text })));
  return buffer;
}

const numbersOf = (search: LogSearch) => Array.from({ length: search.count }, (_, place) => search.at(place));

function searchFor(buffer: LogBuffer, text: string, regex = false): LogSearch {
  const { pattern } = compileQuery({ text, regex });
  assert.ok(pattern);
  return new LogSearch(buffer, pattern);
}

test('plain text is literal and in any case; a regular expression is one; a wrong one says so', () => {
  const buffer = filled(['GET /a.b', 'get /axb', 'POST /']);
  const literal = searchFor(buffer, 'a.b');
  literal.scan(1000);
  assert.deepEqual(numbersOf(literal), [0]);
  const regex = searchFor(buffer, '^get .a.b$', true);
  regex.scan(1000);
  assert.deepEqual(numbersOf(regex), [0, 1]);
  assert.match(compileQuery({ text: '(', regex: true }).problem ?? '', /group/i);
  assert.deepEqual(compileQuery({ text: '', regex: true }), {});
});

test('colours do not hide what is searched for', () => {
  const search = searchFor(filled(['\u001b[1mGE\u001b[0mT /', 'nothing']), 'get /');
  search.scan(1000);
  assert.deepEqual(numbersOf(search), [0]);
});

test('scans in slices, goes on as the log grows, and forgets lines that are gone', () => {
  const buffer = new LogBuffer({ live: { lines: 1000, chars: 1e6 }, held: { lines: 2000, chars: 1e6 } });
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
  assert.ok(search.count > 0 && search.count < 100);
  search.scan(1e9, clock);
  assert.equal(search.count, 100);
  filled(
    Array.from({ length: 500 }, () => 'hit'),
    buffer,
  );
  search.scan(1e9, clock);
  assert.equal(search.count, 50 + 500);
  assert.equal(search.at(0), 500);
  filled(
    Array.from({ length: 1000 }, () => 'miss'),
    buffer,
  );
  search.scan(1e9, clock);
  assert.deepEqual(numbersOf(search), []);
});

test('what is newest is found first', () => {
  const buffer = filled(Array.from({ length: 1000 }, () => 'hit'));
  const search = searchFor(buffer, 'hit');
  search.scan(0, () => 0);
  assert.deepEqual([search.count, search.complete, search.at(255)], [256, false, 999]);
});

test('what comes in front is found too, in its place, once the end is searched', () => {
  const buffer = filled(['hit', 'miss', 'hit']);
  const search = searchFor(buffer, 'hit');
  search.scan(1000);
  buffer.prepend(['hit', 'miss', 'hit'].map((text) => ({ stream: 'stdout', time: '2026-11-22T07:00:00Z', text })));
  filled(['hit'], buffer);
  assert.equal(search.complete, false);
  search.scan(1000);
  assert.deepEqual([numbersOf(search), search.complete], [[-3, -1, 0, 2, 3], true]);
  assert.deepEqual([search.placeOf(-3), search.placeOf(-1), search.placeOf(1), search.placeOf(3)], [0, 1, 3, 4]);
  buffer.prepend([{ stream: 'stdout', time: '2026-11-22T06:00:00Z', text: 'hit' }]);
  search.scan(1000);
  assert.deepEqual(numbersOf(search), [-4, -3, -1, 0, 2, 3]);
});

test('empty hits are none and very long lines are searched only so far', () => {
  assert.deepEqual(hitsIn('aaa', /x*/g), []);
  assert.deepEqual(hitsIn('xax', /x*/g), [
    [0, 1],
    [2, 3],
  ]);
  assert.deepEqual(hitsIn(`${'a'.repeat(searchedChars)}x`, /x/g), []);
});
