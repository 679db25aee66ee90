import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createQueues } from '../../../../../vm/agent/network/queues.ts';

test('one thing: in turn, also after a failure; different things: at once', async () => {
  const inTurn = createQueues();
  const seen: string[] = [];
  let release: () => void = () => undefined;
  const first = inTurn('a', async () => {
    seen.push('a1');
    await new Promise<void>((resolve) => (release = resolve));
    throw new Error('a1 failed');
  });
  const second = inTurn('a', () => Promise.resolve(seen.push('a2')));
  await inTurn('b', () => Promise.resolve(seen.push('b1')));
  assert.deepEqual(seen, ['a1', 'b1']);
  release();
  await assert.rejects(first, /a1 failed/);
  await second;
  assert.deepEqual(seen, ['a1', 'b1', 'a2']);
});
