/** A container's life through the use cases, over a runtime in memory. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { LaunchError } from '../../../../../vm/agent/runtime/runtime.ts';
import { attachContainer, prepareAttach } from '../../../../../vm/agent/use-cases/attach-container.ts';
import { killContainer } from '../../../../../vm/agent/use-cases/kill-container.ts';
import { containerPaths } from '../../../../../vm/agent/use-cases/parts.ts';
import { reconcile } from '../../../../../vm/agent/use-cases/reconcile.ts';
import { removeContainer } from '../../../../../vm/agent/use-cases/remove-container.ts';
import { restartContainer } from '../../../../../vm/agent/use-cases/restart-container.ts';
import { startContainer } from '../../../../../vm/agent/use-cases/start-container.ts';
import { stopAll } from '../../../../../vm/agent/use-cases/stop-all.ts';
import { stopContainer } from '../../../../../vm/agent/use-cases/stop-container.ts';
import { waitForContainer } from '../../../../../vm/agent/use-cases/wait-container.ts';
import { makeEngine } from '../../../../helpers/engine-parts.ts';
import type { TestEngine } from '../../../../helpers/engine-parts.ts';
import { FakeContainer } from '../../../../helpers/fake-runtime.ts';

const always = new AbortController().signal;
const skip = process.getuid?.() === 0 ? false : 'files are given to the container’s root, which needs root';

function statusOf(engine: TestEngine, id: string): string {
  return engine.parts.store.find(id).state.status;
}

function actions(engine: TestEngine): string[] {
  return engine.events.map((event) => event.Action);
}

/** Turns of the event loop until this is so; the test's own time-out is the deadline. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

test('create, start, end, remove: states, events, network and files', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('one', { Cmd: ['true'] });
  const { exit } = waitForContainer(engine.parts, id, 'next-exit', always);
  await startContainer(engine.parts, id);
  assert.equal(statusOf(engine, id), 'running');
  assert.deepEqual([...engine.network.attached], [id]);
  await assert.rejects(startContainer(engine.parts, 'one'), { code: 'not-modified' });
  await assert.rejects(removeContainer(engine.parts, 'one', {}), {
    code: 'conflict',
    message: 'cannot remove container "/one": container is running: stop the container before removing or force remove',
  });
  engine.runtime.created[0]?.finish({ exitCode: 3 });
  assert.deepEqual(await exit, { exitCode: 3 });
  assert.equal(statusOf(engine, id), 'exited');
  assert.equal(engine.network.attached.size, 0);
  await removeContainer(engine.parts, id.slice(0, 12), {});
  assert.equal(engine.roots.size, 0);
  assert.equal(existsSync(containerPaths(engine.parts.config, id).dir), false);
  assert.throws(() => engine.parts.store.find(id), { code: 'not-found' });
  assert.deepEqual(actions(engine), ['create', 'start', 'die', 'destroy']);
});

test('a program that cannot be started: exit code, words, everything taken back', { skip }, async (t) => {
  const engine = await makeEngine(t);
  engine.runtime.prepare = (container) => {
    container.goFailure = new LaunchError('not-found', 'exec: "nope": executable file not found in $PATH');
  };
  const id = await engine.create('bad');
  await assert.rejects(startContainer(engine.parts, id), { message: /executable file not found in \$PATH/ });
  const { state } = engine.parts.store.find(id);
  assert.equal(state.status, 'created');
  assert.equal(state.exitCode, 127);
  assert.deepEqual(engine.runtime.created[0]?.signals, [9]);
  assert.equal(engine.network.attached.size, 0);
  assert.deepEqual(actions(engine), ['create'], 'what never lived has not died');
});

test('a port that is taken fails the start and leaves no process', { skip }, async (t) => {
  const engine = await makeEngine(t);
  engine.network.failure = new Error('port is already allocated');
  const id = await engine.create('port', { HostConfig: { AutoRemove: true } });
  const { exit } = waitForContainer(engine.parts, id, 'removed', always);
  await assert.rejects(startContainer(engine.parts, id), /port is already allocated/);
  assert.deepEqual(engine.runtime.created[0]?.signals, [9]);
  assert.equal((await exit).exitCode, 128);
  assert.equal(engine.parts.store.all().length, 0);
});

test('clients that attach before the start miss nothing', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('att', { Cmd: ['cat'], OpenStdin: true });
  const [client, server] = duplexPair();
  const wanted = { stdin: true, stdout: true, stderr: true, logs: false, stream: true, detachKeys: '' };
  await attachContainer(engine.parts, prepareAttach(engine.parts, id, wanted), wanted, server);
  engine.runtime.prepare = (container) => {
    const go = container.go.bind(container);
    container.go = () => {
      assert.equal(container.streams.length, 1, 'joined before the program runs');
      container.streams[0]?.write('first words');
      return go();
    };
  };
  client.write('typed early');
  await startContainer(engine.parts, id);
  const process = engine.runtime.created[0];
  const typed = new Promise((resolve) => process?.streams[0]?.once('data', resolve));
  assert.equal(String(await typed), 'typed early');
  process?.finish();
  assert.equal(await text(client), 'first words');
});

test('stop: its signal, then SIGKILL when the time is over', { skip }, async (t) => {
  const engine = await makeEngine(t);
  engine.runtime.prepare = (container) => {
    container.endsOn = [9];
  };
  const id = await engine.create('stubborn', { StopSignal: 'SIGINT' });
  await startContainer(engine.parts, id);
  await stopContainer(engine.parts, id, { timeoutSeconds: 0 });
  assert.deepEqual(engine.runtime.created[0]?.signals, [2, 9]);
  assert.equal(statusOf(engine, id), 'exited');
  assert.equal(engine.parts.store.find(id).manuallyStopped, true);
  await assert.rejects(stopContainer(engine.parts, id, {}), { code: 'not-modified' });
});

test('operations on one container at once happen one after the other', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('busy');
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => startContainer(engine.parts, id)));
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
  assert.equal(engine.runtime.created.length, 1);
  await Promise.all([
    removeContainer(engine.parts, id, { force: true }),
    removeContainer(engine.parts, id, { force: true }).catch(() => undefined),
  ]);
  assert.equal(engine.parts.store.all().length, 0);
  assert.equal(actions(engine).filter((action) => action === 'destroy').length, 1);
});

test('two containers cannot have one name, nor one id range', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('same', { HostConfig: { UsernsMode: '' } });
  await assert.rejects(engine.create('same'), {
    code: 'conflict',
    message: `Conflict. The container name "/same" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
  });
  const other = await engine.create('other', { HostConfig: { UsernsMode: '' } });
  assert.notEqual(engine.parts.store.find(id).idSlot, engine.parts.store.find(other).idSlot);
  await removeContainer(engine.parts, id, {});
  const third = await engine.create('third', { HostConfig: { UsernsMode: '' } });
  assert.equal(engine.parts.store.find(third).idSlot, 0, 'a freed range is used again');
});

test('on-failure:1 restarts once; waiters hear of the last end only', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('again', {
    HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } },
  });
  await startContainer(engine.parts, id);
  const { exit } = waitForContainer(engine.parts, id, 'not-running', always);
  engine.runtime.prepare = (container) => setImmediate(() => container.finish({ exitCode: 5 }));
  engine.runtime.created[0]?.finish({ exitCode: 4 });
  assert.deepEqual(await exit, { exitCode: 5 });
  assert.equal(engine.runtime.created.length, 2);
  assert.equal(engine.parts.store.find(id).restartCount, 1);
});

test('a stop calls off the restart that is due', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('loop', { HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } });
  await startContainer(engine.parts, id);
  engine.runtime.created[0]?.finish({ exitCode: 0 });
  await until(() => statusOf(engine, id) === 'restarting');
  await stopContainer(engine.parts, id, {});
  assert.equal(statusOf(engine, id), 'exited');
  assert.equal(engine.parts.live.of(id).restart, undefined);
});

test(
  'a killed container is not restarted by its policy; a restarted one with --rm is not removed',
  { skip },
  async (t) => {
    const engine = await makeEngine(t);
    const id = await engine.create('killed', {
      HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } },
    });
    await startContainer(engine.parts, id);
    await killContainer(engine.parts, id, 'KILL');
    assert.equal(statusOf(engine, id), 'exited');
    const removed = await engine.create('rm', { HostConfig: { AutoRemove: true } });
    await startContainer(engine.parts, removed);
    await restartContainer(engine.parts, removed, { timeoutSeconds: 1 });
    assert.equal(statusOf(engine, removed), 'running');
    engine.runtime.created.at(-1)?.finish();
    await until(() => engine.parts.store.get(removed) === undefined);
  },
);

test('reconciliation: what runs is taken over, what ended is recorded, halves are undone', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const { parts, runtime } = engine;
  const [runs, ended, lost, half, removing] = await Promise.all(
    ['runs', 'ended', 'lost', 'half', 'removing'].map((name) => engine.create(name)),
  );
  assert.ok(
    runs !== undefined && ended !== undefined && lost !== undefined && half !== undefined && removing !== undefined,
  );
  for (const id of [runs, ended, lost]) {
    const { state } = parts.store.find(id);
    parts.store.update(id, { state: { ...state, status: 'running', pid: 7, startedAt: new Date().toISOString() } });
  }
  parts.store.update(removing, { state: { ...parts.store.find(removing).state, status: 'removing' } });
  const process = new FakeContainer(runs, 7, undefined);
  const halfStarted = new FakeContainer(half, 8, undefined);
  runtime.alive.set(runs, process).set(half, halfStarted);
  runtime.exitRecords.set(containerPaths(parts.config, ended).exitRecord, {
    exitCode: 42,
    oomKilled: true,
    finishedAt: '2026-01-01T00:00:00Z',
  });
  const report = await reconcile(parts);
  assert.deepEqual({ ...report, leftovers: 0 }, { running: 1, ended: 2, removed: 1, leftovers: 0 });
  assert.equal(statusOf(engine, runs), 'running');
  assert.equal(parts.store.find(ended).state.exitCode, 42);
  assert.equal(parts.store.find(ended).state.oomKilled, true);
  assert.equal(parts.store.find(lost).state.exitCode, 255);
  assert.deepEqual(halfStarted.signals, [9]);
  assert.equal(statusOf(engine, half), 'created');
  assert.throws(() => parts.store.find(removing), { code: 'not-found' });
  const { exit } = waitForContainer(parts, runs, 'next-exit', always);
  process.finish({ exitCode: 6 });
  assert.deepEqual(await exit, { exitCode: 6 });
});

test('the machine going down stops containers without forgetting that they were wanted', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('svc', {
    HostConfig: { RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 } },
  });
  await startContainer(engine.parts, id);
  await stopAll(engine.parts, 1);
  assert.equal(statusOf(engine, id), 'exited');
  assert.equal(engine.parts.store.find(id).manuallyStopped, false);
  await reconcile(engine.parts);
  await until(() => statusOf(engine, id) === 'running');
});
