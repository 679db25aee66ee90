import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callInputs } from '../../../../src-main/handlers/schemas.ts';
import { wakingCalls } from '../../../../src-main/handlers/waking-calls.ts';
import { fakeHandlers } from '../../../helpers/handlers.ts';

test('what a user does wakes the VM first; what a window asks by itself is use, and what is not of the engine is none', async () => {
  const done: string[] = [];
  const { calls } = fakeHandlers({
    calls: {
      'containers.start': () => void done.push('start'),
      'containers.stop': () => void done.push('stop'),
      'vm.sleep': () => void done.push('sleep'),
      'tasks.forget': () => void done.push('forget'),
    },
  });
  const wrapped = wakingCalls(calls, {
    touch: () => void done.push('touch'),
    wake: () => {
      done.push('wake');
      return Promise.resolve();
    },
  });
  const { signal } = new AbortController();
  assert.deepEqual(Object.keys(wrapped).sort(), Object.keys(callInputs).sort());
  await wrapped['containers.start']({ id: 'a' }, signal);
  assert.deepEqual(done.splice(0), ['touch', 'wake', 'start']);
  await Promise.resolve(wrapped['containers.top']({ id: 'a' }, signal)).catch(() => undefined);
  assert.deepEqual(done.splice(0), ['touch']);
  await wrapped['vm.sleep']({}, signal);
  await wrapped['tasks.forget']({ id: 'a' }, signal);
  assert.deepEqual(done, ['sleep', 'forget']);
});

test('a VM that cannot be woken fails the call with its reason', async () => {
  const { calls } = fakeHandlers({ calls: { 'containers.start': () => assert.fail('not reached') } });
  const wrapped = wakingCalls(calls, {
    touch: () => undefined,
    wake: () => Promise.reject(new Error('no disk')),
  });
  await assert.rejects(async () => wrapped['containers.start']({ id: 'a' }, new AbortController().signal), /no disk/);
});
