import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTimes } from '../../../../src-renderer/logs/log-times.ts';

test('times of any precision are ordered to the nanosecond', () => {
  // Go leaves out trailing zeros: as plain text, `.5Z` would come after `.500000001Z`.
  const ordered = [
    '2026-11-22T08:00:00Z',
    '2026-11-22T08:00:00.000000001Z',
    '2026-11-22T08:00:00.5Z',
    '2026-11-22T08:00:00.500000001Z',
    '2026-11-22T08:00:00.51Z',
    '2026-11-22T08:00:01Z',
  ];
  assert.deepEqual([...ordered].reverse().sort(compareTimes), ordered);
  assert.equal(compareTimes('2026-11-22T08:00:00.5Z', '2026-11-22T08:00:00.500Z'), 0);
});
