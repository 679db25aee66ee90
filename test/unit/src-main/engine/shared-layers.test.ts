/** Layers in common. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharersOf, withSharers } from '../../../../src-main/engine/shared-layers.ts';

const step = (createdBy: string, empty = false) => ({ createdBy, empty, sizeBytes: empty ? 0 : 1, createdAtMs: 0 });

test('a layer is shared only with those that stand on the same layers below it', () => {
  const others = [
    { name: 'same base', layers: ['a', 'x'] },
    { name: 'child', layers: ['a', 'b', 'c', 'd'] },
    { name: 'other base', layers: ['z', 'b', 'c'] },
    { name: 'gone', layers: [] },
  ];
  assert.deepEqual(sharersOf(['a', 'b', 'c'], others), [['same base', 'child'], ['child'], ['child']]);
});

test('steps that made nothing have no layer; where the numbers do not fit nothing is told', () => {
  const history = [step('ADD'), step('ENV', true), step('RUN')];
  assert.deepEqual(
    withSharers(history, [['x'], []]).map(({ sharedWith }) => sharedWith),
    [['x'], undefined, []],
  );
  assert.deepEqual(withSharers(history, [['x']]), history);
});
