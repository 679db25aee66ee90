import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBytes } from '../../../../../vm/agent/use-cases/parse-bytes.ts';
import { sizeLimitOf } from '../../../../../vm/agent/use-cases/size-limit.ts';

test('sizes are read as people write them', () => {
  const read = ['0', '100', '64m', '64MB', '1.5 GiB', '2t', '10b', '', 'm', '-1m', '1x', '1 0', '9999999p'];
  assert.deepEqual(read.map(parseBytes), [
    ...[0, 100, 64 * 1024 ** 2, 64 * 1024 ** 2, 1.5 * 1024 ** 3, 2 * 1024 ** 4, 10],
    ...Array.from({ length: 6 }, () => undefined),
  ]);
});

test('only the size can be limited', () => {
  assert.equal(sizeLimitOf(undefined), 0);
  assert.equal(sizeLimitOf({ SIZE: '1k' }), 1024);
  assert.throws(() => sizeLimitOf({ size: 'much' }), /^EngineError: invalid size: 'much'$/);
  assert.throws(() => sizeLimitOf({ volume: '1k' }), /^EngineError: Unknown option volume$/);
});
