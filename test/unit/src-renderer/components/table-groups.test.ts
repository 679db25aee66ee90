import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupRows, toggledAll } from '../../../../src-renderer/components/table-groups.ts';
import { sparkPath } from '../../../../src-renderer/components/sparkline.tsx';

const rows = ['a/1', 'lone', 'b/1', 'a/2', 'other'];
const of = (row: string) => (row.includes('/') ? row.slice(0, 1) : undefined);
const shown = (collapsed: readonly string[]) =>
  groupRows(rows, (row) => row, { of, collapsed: new Set(collapsed) }).map(({ key }) => key);

test('a group stands where its first row would and holds all its rows', () => {
  assert.deepEqual(shown([]), ['group:a', 'a/1', 'a/2', 'lone', 'group:b', 'b/1', 'other']);
  assert.deepEqual(shown(['a']), ['group:a', 'lone', 'group:b', 'b/1', 'other']);
});

test('without grouping rows stay as they are', () => {
  assert.deepEqual(
    groupRows(rows, (row) => row, undefined).map((entry) => entry.kind === 'row' && entry.row),
    rows,
  );
});

test('selecting a group selects all, and again none', () => {
  const some = toggledAll(new Set(['a/1', 'x']), ['a/1', 'a/2']);
  assert.deepEqual([...some].sort(), ['a/1', 'a/2', 'x']);
  assert.deepEqual([...toggledAll(some, ['a/1', 'a/2'])], ['x']);
});

test('a sparkline ends at the right edge, forgets what is old and lifts the pen at a gap', () => {
  assert.equal(sparkPath([], 1), '');
  const path = sparkPath(
    [
      [0, 1],
      [100_000, 0],
      [101_000, 5],
      [120_000, 10],
    ],
    10,
  );
  assert.equal(path, 'M32.0 17.0L32.8 9.0M48.0 1.0');
});
