/** Health checks: the rules, and probes over a runtime in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Filters } from '../../../../../vm/agent/filters.ts';
import { LaunchError } from '../../../../../vm/agent/runtime/runtime.ts';
import type { Health } from '../../../../../vm/agent/state/container-record.ts';
import { pauseContainer, unpauseContainer } from '../../../../../vm/agent/use-cases/change-container.ts';
import {
  checkHealthcheck,
  delayBeforeProbe,
  healthAfter,
  healthAtStart,
  mergeHealthcheck,
  probeOf,
} from '../../../../../vm/agent/use-cases/health-rules.ts';
import { inspectContainer } from '../../../../../vm/agent/use-cases/inspect-container.ts';
import { listContainers, listFilterNames } from '../../../../../vm/agent/use-cases/list-containers.ts';
import { ProbeOutput } from '../../../../../vm/agent/use-cases/probe-output.ts';
import { reconcile } from '../../../../../vm/agent/use-cases/reconcile.ts';
import { startContainer } from '../../../../../vm/agent/use-cases/start-container.ts';
import { stopContainer } from '../../../../../vm/agent/use-cases/stop-container.ts';
import { makeEngine } from '../../../../helpers/engine-parts.ts';
import type { TestEngine } from '../../../../helpers/engine-parts.ts';
import { FakeContainer } from '../../../../helpers/fake-runtime.ts';
import type { FakeExec } from '../../../../helpers/fake-runtime.ts';

const skip = process.getuid?.() === 0 ? false : 'files are given to the container’s root, which needs root';
const ms = 1e6;
const fast = { Test: ['CMD-SHELL', 'check it'], Interval: ms, Retries: 2 };

function healthOf(value: object): Health | undefined {
  return (value as { State: { Health?: Health } }).State.Health;
}

async function inspect(engine: TestEngine, id: string): Promise<Health | undefined> {
  return healthOf(await inspectContainer(engine.parts, id, false));
}

async function listed(engine: TestEngine, filter?: string): Promise<string[]> {
  const text = filter === undefined ? null : JSON.stringify({ health: [filter] });
  const filters = Filters.parse(text, listFilterNames);
  const list = await listContainers(engine.parts, { all: true, limit: 0, size: false, filters });
  return (list as { Status: string }[]).map(({ Status }) => Status.replace(/^Up .*?(?= \(|$)/, 'Up'));
}

/** Looks again until this is so; the deadline only ends a test that would never pass. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, 'never came true');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function started(
  t: TestContext,
  healthcheck: object,
  onExec: (exec: FakeExec, container: FakeContainer) => void,
  config: object = {},
): Promise<{ engine: TestEngine; id: string }> {
  const engine = await makeEngine(t);
  engine.runtime.prepare = (container) => {
    container.onExec = (exec) => onExec(exec, container);
  };
  const id = await engine.create('sick', { ...config, Healthcheck: healthcheck });
  await startContainer(engine.parts, id);
  return { engine, id };
}

test('what is run: CMD as it is, CMD-SHELL by the image’s shell, NONE and unknown kinds not at all', () => {
  assert.deepEqual(probeOf({ Healthcheck: { Test: ['CMD', 'a', 'b'] } }), {
    command: ['a', 'b'],
    intervalMs: 30_000,
    timeoutMs: 30_000,
    startPeriodMs: 0,
    startIntervalMs: 5000,
    retries: 3,
  });
  assert.deepEqual(probeOf({ Healthcheck: { Test: ['CMD-SHELL', 'a b'] } })?.command, ['/bin/sh', '-c', 'a b']);
  const Shell = ['/bin/bash', '-ec'];
  assert.deepEqual(probeOf({ Shell, Healthcheck: { Test: ['CMD-SHELL', 'a'] } })?.command, ['/bin/bash', '-ec', 'a']);
  for (const Test of [['NONE'], [], ['NONSENSE', 'x']]) assert.equal(probeOf({ Healthcheck: { Test } }), undefined);
  assert.equal(probeOf({}), undefined);
});

test('retries, the start period and the five last results', () => {
  const probe = probeOf({
    Healthcheck: { Test: ['CMD', 'x'], Retries: 2, StartPeriod: 1000 * ms, StartInterval: 50 * ms },
  });
  assert.ok(probe);
  const result = (ExitCode: number) => ({ Start: 's', End: 'e', ExitCode, Output: String(ExitCode) });
  let health = healthAtStart(undefined);
  assert.equal(delayBeforeProbe(probe, health, 999), 50);
  assert.equal(delayBeforeProbe(probe, health, 1000), 30_000);
  health = healthAfter(probe, health, result(1), 500);
  assert.deepEqual([health.Status, health.FailingStreak], ['starting', 0], 'not counted');
  health = healthAfter(probe, health, result(1), 1000);
  assert.deepEqual([health.Status, health.FailingStreak], ['starting', 1]);
  health = healthAfter(probe, health, result(2), 2000);
  assert.deepEqual([health.Status, health.FailingStreak], ['unhealthy', 2]);
  health = healthAfter(probe, health, result(0), 3000);
  assert.deepEqual([health.Status, health.FailingStreak], ['healthy', 0]);
  assert.equal(delayBeforeProbe(probe, health, 1), 30_000, 'the start is over with the first success');
  health = healthAfter(probe, health, result(3), 1);
  assert.deepEqual([health.Status, health.FailingStreak], ['healthy', 1]);
  health = healthAfter(probe, health, result(4), 4000);
  assert.deepEqual(
    health.Log.map(({ ExitCode }) => ExitCode),
    [1, 2, 0, 3, 4],
  );
});

test('what is missing comes from the image; words that make no sense are refused', () => {
  const image = { Test: ['CMD', 'img'], Interval: 5 * ms, Retries: 7 };
  assert.deepEqual(mergeHealthcheck(undefined, image), image);
  assert.deepEqual(mergeHealthcheck({ Test: [], Interval: 0, Retries: 1 }, image), { ...image, Retries: 1 });
  assert.equal(mergeHealthcheck(undefined, { Test: 'x' }), undefined);
  assert.equal(mergeHealthcheck(undefined, { Test: ['CMD', 'x'], Interval: '5s' }), undefined);
  assert.throws(() => checkHealthcheck({ Timeout: 1000 }), {
    message: 'Timeout in Healthcheck cannot be less than 1ms',
  });
  assert.throws(() => checkHealthcheck({ StartInterval: -1 }), /StartInterval in Healthcheck cannot be less than 1ms/);
  assert.throws(() => checkHealthcheck({ Retries: -1 }), { message: 'Retries in Healthcheck cannot be negative' });
});

test('output is taken out of its frames, at any chunk size, and cut', () => {
  const frame = (text: string): Buffer => {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(text.length, 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const bytes = Buffer.concat([frame('one '), frame(''), frame('x'.repeat(5000)), frame('late')]);
  for (const size of [1, 321, bytes.length]) {
    const output = new ProbeOutput();
    for (let at = 0; at < bytes.length; at += size) output.push(bytes.subarray(at, at + size));
    assert.equal(output.toString(), `one ${'x'.repeat(4092)}...`);
  }
});

test('starting, healthy, unhealthy: events, list, inspect and filter', { skip, timeout: 20_000 }, async (t) => {
  let exitCode = 0;
  const { engine, id } = await started(t, fast, (exec) => exec.finish(exitCode, `said ${exitCode}`));
  assert.equal((await inspect(engine, id))?.Status, 'starting');
  assert.deepEqual(await listed(engine), ['Up (health: starting)']);
  await until(async () => (await inspect(engine, id))?.Status === 'healthy');
  assert.deepEqual(await listed(engine, 'healthy'), ['Up (healthy)']);
  assert.deepEqual(await listed(engine, 'none'), []);
  await assert.rejects(listed(engine, 'fine'), { message: 'Unrecognised filter value for health: fine' });
  exitCode = 1;
  await until(async () => (await inspect(engine, id))?.Status === 'unhealthy');
  const health = await inspect(engine, id);
  assert.equal(health?.Log.at(-1)?.Output, 'said 1');
  assert.ok(health.FailingStreak >= 2);
  assert.deepEqual(await listed(engine, 'unhealthy'), ['Up (unhealthy)']);
  const actions = engine.events.map(({ Action }) => Action);
  assert.deepEqual(actions.slice(2, 6), [
    'exec_create: /bin/sh -c check it',
    'exec_start: /bin/sh -c check it',
    'exec_die',
    'health_status: healthy',
  ]);
  assert.equal(actions.filter((action) => action.startsWith('health_status')).length, 2);
  const [exec] = engine.runtime.created[0]?.execs ?? [];
  assert.deepEqual(exec?.request.process.args, ['/bin/sh', '-c', 'check it']);
  assert.equal(engine.parts.execs.idsOf(id), null);
  await stopContainer(engine.parts, id, {});
  const probes = engine.runtime.created[0]?.execs.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(engine.runtime.created[0]?.execs.length, probes, 'not probed any more');
  assert.equal((await inspect(engine, id))?.Status, 'unhealthy');
  assert.match((await listed(engine))[0] ?? '', /^Exited \(143\)/);
});

test(
  'a probe that hangs is killed when its time is over; one that cannot start is a failure',
  { skip, timeout: 20_000 },
  async (t) => {
    const hanging: FakeExec[] = [];
    const { engine, id } = await started(t, { ...fast, Timeout: 2 * ms }, (exec) => {
      hanging.push(exec);
      exec.print('half');
    });
    await until(async () => (await inspect(engine, id))?.Status === 'unhealthy');
    assert.deepEqual(hanging[0]?.signals, [9]);
    const [first] = (await inspect(engine, id))?.Log ?? [];
    assert.equal(first?.ExitCode, -1);
    assert.equal(first.Output, 'Health check exceeded timeout (2ms): half');

    const other = await started(t, fast, (exec, container) => {
      exec.finish(1);
      container.execFailure = new LaunchError('not-found', 'exec: "nope": executable file not found in $PATH');
    });
    await until(async () => (await inspect(other.engine, other.id))?.Status === 'unhealthy');
    assert.match(
      (await inspect(other.engine, other.id))?.Log.at(-1)?.Output ?? '',
      /executable file not found in \$PATH/,
    );
  },
);

test(
  'paused containers are not probed; a probe under way is killed and is no result',
  { skip, timeout: 20_000 },
  async (t) => {
    const execs: FakeExec[] = [];
    const { engine, id } = await started(t, fast, (exec) => execs.push(exec));
    await until(() => execs.length === 1);
    await pauseContainer(engine.parts, id);
    assert.deepEqual(execs[0]?.signals, [9]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(execs.length, 1);
    assert.deepEqual((await inspect(engine, id))?.Log, []);
    assert.deepEqual(await listed(engine), ['Up (Paused)']);
    await unpauseContainer(engine.parts, id);
    await until(() => execs.length === 2);
    execs[1]?.finish(0);
    await until(async () => (await inspect(engine, id))?.Status === 'healthy');
  },
);

test(
  'a container found running when the agent starts again keeps its state and is probed again',
  { skip, timeout: 20_000 },
  async (t) => {
    const { engine, id } = await started(t, fast, (exec) => exec.finish(0));
    await until(async () => (await inspect(engine, id))?.Status === 'healthy');
    engine.parts.live.detachAll();
    engine.parts.live.forget(id);
    const again = new FakeContainer(id, 500, undefined);
    // The probes are quick: one may end before the state is looked at.
    let look = (): void => undefined;
    const looked = new Promise<void>((resolve) => (look = resolve));
    again.onExec = (exec) => void looked.then(() => exec.finish(1));
    engine.runtime.alive.set(id, again);
    await reconcile(engine.parts);
    assert.equal((await inspect(engine, id))?.Status, 'healthy');
    look();
    await until(async () => (await inspect(engine, id))?.Status === 'unhealthy');
    again.finish();
  },
);

test('no check, no health', { skip }, async (t) => {
  const { engine, id } = await started(t, { Test: ['NONE'] }, () => undefined);
  assert.equal(await inspect(engine, id), undefined);
  assert.deepEqual(await listed(engine, 'none'), ['Up']);
});
