/** What the page is shown of a log: the stretch, the rows in sight, the search, and what comes in front. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogAnswer } from '../../../../src-renderer/logs/log-protocol.ts';
import { LogStore } from '../../../../src-renderer/logs/log-store.ts';

const timeOf = (index: number) => `2026-11-22T08:00:00.${String(index).padStart(9, '0')}Z`;
const lines = (from: number, to: number, text = 'line') =>
  Array.from({ length: to - from }, (_, place) => ({
    stream: 'stdout' as const,
    time: timeOf(from + place),
    text: `${text} ${from + place}`,
  }));

/** With the lines 100 up to 150. */
function filled(): LogStore {
  const store = new LogStore(undefined, { followed: 20, read: 30 });
  store.receive({ kind: 'append', lines: lines(100, 150) });
  return store;
}

function taken(answer: LogAnswer | undefined): readonly number[] {
  return answer?.kind === 'taken' ? [answer.count, answer.left] : [];
}

const textsOf = (store: LogStore) => store.view().rows.map(({ text }) => text);

test('followed, the stretch goes along with the end; read, it stays, and can be moved both ways', () => {
  const store = filled();
  const stretch = () => {
    const { first, size, before, after } = store.view();
    return [first, size, before, after];
  };
  const move = (to: 'before' | 'after' | 'start') => {
    store.receive({ kind: 'move', to });
    return stretch();
  };
  assert.deepEqual(stretch(), [30, 20, 30, 0]);
  assert.equal(textsOf(store).at(-1), 'line 149');
  store.receive({ kind: 'append', lines: lines(150, 155) });
  assert.deepEqual(stretch(), [35, 20, 35, 0]);
  store.receive({ kind: 'follow', following: false });
  assert.deepEqual(stretch(), [40, 15, 40, 0]);
  store.receive({ kind: 'append', lines: lines(155, 175) });
  assert.deepEqual(stretch(), [40, 30, 40, 5]);
  assert.deepEqual(move('before'), [25, 30, 25, 20]);
  assert.deepEqual(move('before'), [10, 30, 10, 35]);
  assert.deepEqual(move('before'), [0, 30, 0, 45]);
  for (const first of [15, 30, 45, 60, 60]) assert.equal(move('after')[0], first);
  assert.deepEqual(stretch(), [60, 15, 60, 0]);
  assert.deepEqual(move('start'), [0, 30, 0, 45]);
  for (let back = 0; back < 4; back += 1) move('after');
  store.receive({ kind: 'look', look: { from: 64, to: 66 } });
  assert.deepEqual(textsOf(store), ['line 164', 'line 165']);
  store.receive({ kind: 'follow', following: true });
  assert.equal(textsOf(store).at(-1), 'line 174');
});

test('older lines come in front once all are there, without those of the same time that are here already', () => {
  const store = filled();
  const { firstKept, firstTime } = store.view();
  assert.equal(firstTime, timeOf(100));
  store.receive({ kind: 'older', lines: lines(0, 10, 'stale'), begins: true });
  store.receive({ kind: 'older', lines: lines(50, 80), begins: true });
  store.receive({ kind: 'older', lines: [...lines(80, 100), ...lines(100, 101)], begins: false });
  assert.equal(store.view().kept, 50);
  assert.deepEqual(taken(store.receive({ kind: 'prepend', before: firstKept })), [50, 0]);
  const { kept, firstKept: first, firstTime: time } = store.view();
  assert.deepEqual([kept, first, time], [100, -50, timeOf(50)]);
  const text = store.receive({ kind: 'text', times: false });
  assert.deepEqual(text, {
    kind: 'text',
    text: lines(50, 150)
      .map((line) => line.text)
      .join('\n'),
    lines: 100,
  });
});

test('several lines of the first time, of which some are here', () => {
  const store = new LogStore();
  const same = (text: string) => ({ stream: 'stdout' as const, time: timeOf(7), text });
  store.receive({ kind: 'append', lines: [same('c'), same('d')] });
  store.receive({ kind: 'older', lines: [...lines(5, 7), same('a'), same('b'), same('c'), same('d')], begins: true });
  assert.deepEqual(taken(store.receive({ kind: 'prepend', before: 0 })), [4, 0]);
  assert.deepEqual(textsOf(store), ['line 5', 'line 6', 'a', 'b', 'c', 'd']);
});

test('older lines that would leave a gap, or have no room, are not taken', () => {
  const limits = { live: { lines: 50, chars: 1e6 }, held: { lines: 60, chars: 1e6 } };
  const store = new LogStore(limits);
  store.receive({ kind: 'append', lines: lines(100, 150) });
  store.receive({ kind: 'older', lines: lines(70, 100), begins: true });
  store.receive({ kind: 'append', lines: lines(150, 151) });
  assert.deepEqual(taken(store.receive({ kind: 'prepend', before: 0 })), [0, 0], 'the oldest went meanwhile');
  store.receive({ kind: 'follow', following: false });
  store.receive({ kind: 'older', lines: lines(70, 101), begins: true });
  assert.deepEqual(taken(store.receive({ kind: 'prepend', before: 1 })), [10, 21]);
});

test('the search finds, steps to and fro, goes round, and brings what it stands on into the stretch', () => {
  const store = filled();
  store.receive({ kind: 'search', query: { text: 'line 1[0-4]5', regex: true } });
  store.receive({ kind: 'follow', following: false });
  const step = (by: 1 | -1) => {
    store.receive({ kind: 'step', by });
    const { search, first, size, rows } = store.view();
    const current = search.current ?? NaN;
    assert.ok(current >= first && current < first + size);
    assert.ok(rows.some(({ number, hits }) => number === current && hits.length === 1));
    return [current, search.place];
  };
  assert.deepEqual(step(1), [45, 5], 'the newest first, also before it was searched');
  while (store.work(1000));
  assert.equal(store.view().search.count, 5);
  assert.deepEqual(step(-1), [35, 4]);
  assert.deepEqual(step(1), [45, 5]);
  assert.deepEqual(step(1), [5, 1]);
  store.receive({ kind: 'older', lines: lines(90, 100), begins: true });
  store.receive({ kind: 'prepend', before: 0 });
  while (store.work(1000));
  assert.deepEqual(step(1), [15, 2], 'it stands where it stood');
  store.receive({ kind: 'search', query: { text: '(', regex: true } });
  const { problem, current, count } = store.view().search;
  assert.match(problem ?? '', /group/i);
  assert.deepEqual([current, count], [undefined, 0]);
});

test('a filter leaves the search its pattern, and no line of before', () => {
  const store = filled();
  store.receive({ kind: 'append', lines: lines(0, 3, 'ERROR line') });
  store.receive({ kind: 'search', query: { text: 'line', regex: false } });
  store.receive({ kind: 'filter', filter: { stream: 'all', level: 'error' } });
  assert.equal(store.view().filtering, true);
  while (store.work(1000));
  assert.deepEqual(textsOf(store), ['ERROR line 0', 'ERROR line 1', 'ERROR line 2']);
  const { passing, kept, filtering, search } = store.view();
  assert.deepEqual([passing, kept, filtering, search.count], [3, 53, false, 3]);
  store.receive({ kind: 'filter', filter: { stream: 'all', level: 'all' } });
  while (store.work(1000));
  assert.equal(store.view().search.count, 53);
});

test('a long line is cut and can be had whole; matches are told where they are seen', () => {
  const store = new LogStore();
  const long = `\u001b[31m{"a":1}${' '.repeat(10)}${'x'.repeat(9000)}`;
  store.receive({ kind: 'append', lines: [{ stream: 'stdout', time: timeOf(1), text: long }] });
  store.receive({ kind: 'append', lines: [{ stream: 'stderr', time: timeOf(2), text: '\u001b[1m{"a":1}' }] });
  store.receive({ kind: 'search', query: { text: '"a"', regex: false } });
  const [first, second] = store.view().rows;
  assert.deepEqual([first?.text.length, first?.cutChars, first?.hits], [4096, long.length - 4096, [[1, 4]]]);
  assert.deepEqual(second?.hits, [[1, 4]]);
  assert.deepEqual(store.receive({ kind: 'whole', number: 0 }), { kind: 'text', text: long, lines: 1 });
  store.receive({ kind: 'pretty', pretty: true });
  assert.deepEqual(store.view().rows[1]?.json, '{\n  "a": 1\n}');
  assert.deepEqual(store.view().rows[1]?.hits, [[4, 7]]);
});

test('text is taken out with names and times', () => {
  const store = new LogStore();
  store.receive({ kind: 'append', lines: lines(1, 3).map((line, origin) => ({ ...line, origin })) });
  assert.deepEqual(store.receive({ kind: 'text', names: ['web', 'db'], times: true }), {
    kind: 'text',
    text: `${timeOf(1)} web | line 1\n${timeOf(2)} db | line 2`,
    lines: 2,
  });
});
