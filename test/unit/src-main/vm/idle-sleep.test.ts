import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { AppError } from '../../../../src-main/contract/errors.ts';
import { IdleSleep, isDue } from '../../../../src-main/vm/idle-sleep.ts';
import { vmView } from '../../../helpers/services.ts';

function setUp(t: TestContext) {
  const facts = {
    view: vmView('ready'),
    minutes: 5,
    busy: false,
    containers: false,
    nowMs: 0,
    guest: undefined as AppError | undefined,
    slept: [] as boolean[],
    prepared: 0,
    refusal: undefined as AppError | undefined,
    duringPause: (): void => undefined,
  };
  const idle = new IdleSleep({
    vm: {
      get view() {
        return facts.view;
      },
      sleep: (onlyIdle) => {
        if (facts.refusal !== undefined) return Promise.reject(facts.refusal);
        facts.slept.push(onlyIdle);
        facts.view = vmView('sleeping');
        return Promise.resolve();
      },
    },
    settings: () => ({ sleepAfterMinutes: facts.minutes }),
    isBusy: () => facts.busy,
    prepare: () => {
      facts.prepared += 1;
      return facts.guest === undefined ? Promise.resolve() : Promise.reject(facts.guest);
    },
    hasRunningContainers: () => Promise.resolve(facts.containers),
    now: () => facts.nowMs,
    pause: () => {
      facts.duringPause();
      return Promise.resolve();
    },
  });
  t.after(() => idle[Symbol.dispose]());
  const at = async (minutes: number): Promise<readonly boolean[]> => {
    facts.nowMs = minutes * 60_000;
    await idle.look();
    return facts.slept;
  };
  return { facts, idle, at };
}

test('due after so many minutes; 0 is never', () => {
  assert.deepEqual([isDue(5, 299_999), isDue(5, 300_000), isDue(0, 1e12)], [false, true, false]);
});

test('a VM that nobody uses sleeps when it is time, and only if it is idle', async (t) => {
  const { at, facts } = setUp(t);
  assert.deepEqual(await at(4.9), []);
  assert.deepEqual(await at(5), [true]);
  assert.deepEqual(await at(30), [true], 'once');
  assert.equal(facts.prepared, 1);
});

test('what is open, what runs, and every use begins the time anew', async (t) => {
  const { at, facts, idle } = setUp(t);
  facts.busy = true;
  await at(4);
  facts.busy = false;
  assert.deepEqual(await at(8.9), []);
  idle.touch();
  assert.deepEqual(await at(13), []);
  facts.containers = true;
  assert.deepEqual(await at(14), []);
  facts.containers = false;
  assert.deepEqual(await at(18), []);
  facts.guest = new AppError('engine', 'a shell is under way', { status: 409 });
  assert.deepEqual(await at(19), []);
  facts.guest = undefined;
  assert.deepEqual(await at(23), []);
  facts.view = vmView('absent');
  await at(24);
  facts.view = vmView('ready');
  assert.deepEqual(await at(28), []);
  assert.deepEqual(await at(29), [true]);
});

test('somebody who comes in the last moment keeps it awake', async (t) => {
  const { at, facts, idle } = setUp(t);
  facts.duringPause = () => idle.touch();
  assert.deepEqual(await at(5), []);
  facts.duringPause = () => void (facts.busy = true);
  assert.deepEqual(await at(10), []);
});

test('0 never, and a VM that cannot sleep is asked once', async (t) => {
  const { at, facts } = setUp(t);
  facts.minutes = 0;
  assert.deepEqual(await at(1e6), []);
  facts.minutes = 5;
  facts.refusal = new AppError('unsupported', 'not here');
  await at(2e6);
  await at(3e6);
  assert.equal(facts.prepared, 1);
  facts.refusal = undefined;
  facts.view = { ...facts.view, state: { kind: 'ready', sinceMs: 2, bootTookMs: 1 } };
  await at(4e6);
  assert.deepEqual(await at(5e6), [true], 'another one is asked anew');
});
