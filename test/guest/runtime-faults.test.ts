import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStats } from '../../vm/agent/runtime/stats.ts';
import type { LaunchRequest, OciResources, RunningContainer } from '../../vm/agent/runtime/runtime.ts';
import {
  assertNothingLeft,
  cgroupRoot,
  logText,
  monitors,
  never,
  processOf,
  removeFiles,
  requestOf,
  runtime,
  start,
  stopSpawner,
  until,
  type LaunchOptions,
} from './runtime-fixture.ts';

const counting = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; done'];

/* This file is also the agent that the tests kill: it starts a container, says so, and waits to be killed. */
const driven = process.env.WHERRY_TEST_DRIVEN;
if (driven === undefined) defineTests();
else await drive(JSON.parse(driven) as LaunchRequest);

async function drive(request: LaunchRequest): Promise<void> {
  const container = await runtime.create(request, never);
  await container.go();
  const stream = await container.attach({ stdin: false, stdout: true, stderr: true });
  stream.resume();
  process.send?.('ready');
  await sleep(600_000);
}

/** Starts the container from another process, and kills that with SIGKILL. */
async function startAndDie(request: LaunchRequest): Promise<void> {
  const agent = fork(fileURLToPath(import.meta.url), [], {
    execArgv: [],
    env: { ...process.env, WHERRY_TEST_DRIVEN: JSON.stringify(request) },
  });
  const [message] = (await once(agent, 'message')) as [unknown];
  assert.equal(message, 'ready');
  await sleep(300);
  agent.kill('SIGKILL');
  await once(agent, 'exit');
}

async function reattach(request: LaunchRequest): Promise<RunningContainer | undefined> {
  return runtime.reattach(request);
}

function limited(resources: Partial<OciResources>): LaunchOptions {
  return {
    config: (c) => ({ ...c, linux: { ...c.linux, resources: { ...c.linux.resources, ...resources } } }),
  };
}

function defineTests(): void {
  after(stopSpawner);

  test('kill -9 of the agent: the container runs on, its log has no gap, and a new agent finds it', async (t) => {
    const request = requestOf(counting);
    t.after(() => removeFiles(request));
    await startAndDie(request);
    const before = fs.statSync(request.log?.path ?? '').size;
    await until('more log', () => fs.statSync(request.log?.path ?? '').size > before);

    const container = await reattach(request);
    assert.ok(container);
    assert.equal(container.tty, false);
    assert.ok((await container.pids()).includes(container.pid));
    const running = await container.exec({ execId: 'x', process: processOf(['true']), attachStdin: false }, never);
    assert.equal(await running.exited, 0);
    await container.kill(9);
    const exit = await container.exited;
    assert.equal(exit.exitCode, 137);
    assert.deepEqual(await runtime.readExitRecord(request.exitRecordPath), exit);
    const numbers = logText(request).trim().split('\n').map(Number);
    assert.ok(numbers.length > 10 && numbers.every((number, index) => number === index + 1));
    container.detach();
    await assertNothingLeft(request);
  });

  test('a container that ends while nobody watches leaves its record and nothing else', async (t) => {
    const request = requestOf(['sh', '-c', 'sleep 1; exit 23']);
    t.after(() => removeFiles(request));
    await startAndDie(request);
    await until('the record', () => fs.existsSync(request.exitRecordPath));
    await assertNothingLeft(request);
    assert.equal(await reattach(request), undefined);
    assert.equal((await runtime.readExitRecord(request.exitRecordPath))?.exitCode, 23);
  });

  test('kill -9 of the monitor takes the container with it, and is noticed', async (t) => {
    const { container, request } = await startUntidy(t, ['sh', '-c', 'sleep 1000 & sleep 1000']);
    const { pid } = container;
    const [monitor] = monitors(request.id);
    assert.ok(monitor);
    process.kill(monitor, 'SIGKILL');
    assert.equal((await container.exited).exitCode, 137);
    await until('the end of the process', () => !fs.existsSync(`/proc/${pid}`));
    assert.equal(await reattach(request), undefined);
    assert.equal(await runtime.readExitRecord(request.exitRecordPath), undefined);

    /* The next start takes over what is left. */
    const again = await runtime.create(request, never);
    await again.go();
    await again.kill(9);
    assert.equal((await again.exited).exitCode, 137);
    again.detach();
    await assertNothingLeft(request);
  });

  test('a memory hog is killed, and said to be out of memory', async (t) => {
    const memory = { limit: 32 << 20, swap: 32 << 20 };
    const { container } = await start(
      t,
      ['sh', '-c', 'x=$(head -c 100000000 /dev/zero | tr "\\0" a); echo ${#x}'],
      limited({ memory }),
    );
    const exit = await container.exited;
    assert.deepEqual([exit.exitCode, exit.oomKilled], [137, true]);
    const { container: modest } = await start(t, ['true'], limited({ memory }));
    assert.equal((await modest.exited).oomKilled, false);
  });

  test('a fork bomb stays within its limit', async (t) => {
    const { container } = await start(
      t,
      ['sh', '-c', '(while :; do sleep 1000 & done) 2>/dev/null; exec sleep 1000'],
      limited({ pids: { limit: 32 } }),
    );
    const { request } = await start(t, ['sleep', '1000']);
    await until('the limit', async () => (await container.pids()).length > 20);
    for (let look = 0; look < 10; look++) assert.ok((await container.pids()).length <= 32);
    assert.ok(fs.existsSync(path.join(cgroupRoot, request.cgroup)));
  });

  test('limits are written, and figures read', async (t) => {
    const { container, request } = await start(
      t,
      ['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo; sleep 1000'],
      {
        ...limited({
          memory: { limit: 64 << 20, swap: -1, reservation: 1 << 20 },
          cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0' },
          pids: { limit: 9 },
        }),
      },
    );
    const folder = path.join(cgroupRoot, request.cgroup);
    const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8').trim();
    assert.deepEqual(['memory.max', 'memory.low', 'cpu.weight', 'cpu.max', 'cpuset.cpus', 'pids.max'].map(read), [
      '67108864',
      '1048576',
      '20',
      '50000 100000',
      '0',
      '9',
    ]);
    await until('a line', () => logText(request) === '\n');
    const stats = await readStats(folder, container.pid);
    assert.ok(stats);
    assert.ok(stats.cpu_stats.cpu_usage.total_usage > 1_000_000);
    assert.ok(stats.cpu_stats.system_cpu_usage > stats.cpu_stats.cpu_usage.total_usage);
    assert.ok(stats.memory_stats.usage > 0 && stats.memory_stats.limit === 64 << 20);
    assert.deepEqual(stats.pids_stats, { current: 1, limit: 9 });
    assert.equal(await readStats(path.join(cgroupRoot, 'wherry/none'), undefined), undefined);
  });

  test('paused, nothing moves; resumed, it goes on; killed while paused, it ends', async (t) => {
    const { container, request } = await start(t, counting);
    await until('output', () => logText(request).length > 0);
    await container.pause();
    await sleep(100);
    const { size } = fs.statSync(request.log?.path ?? '');
    await sleep(200);
    assert.equal(fs.statSync(request.log?.path ?? '').size, size);
    await container.resume();
    await until('more output', () => fs.statSync(request.log?.path ?? '').size > size);
    await container.pause();
    await container.kill(9);
    assert.equal((await container.exited).exitCode, 137);
  });

  test('twenty at once, and a monitor is small', async (t) => {
    const all = await Promise.all(Array.from({ length: 20 }, () => start(t, ['sleep', '1000'])));
    const residentKib = all.map(({ request }) => {
      const status = fs.readFileSync(`/proc/${monitors(request.id)[0] ?? 0}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    });
    assert.ok(Math.max(...residentKib) <= 1024, `${Math.max(...residentKib)} KiB`);
    await Promise.all(all.map(({ container }) => container.kill(15)));
    // Some have ended by now, or are just ending: a signal to those is no error.
    await Promise.all(all.map(({ container }) => container.kill(9)));
    const ends = await Promise.all(all.map(({ container }) => container.exited));
    assert.ok(ends.every((end) => end.exitCode >= 128));
    await all[0]?.container.kill(9);
  });
}

/** Started without the usual checks, as its monitor will be killed. */
async function startUntidy(t: Parameters<typeof start>[0], args: readonly string[]) {
  const request = requestOf(args);
  t.after(() => removeFiles(request));
  const container = await runtime.create(request, never);
  await container.go();
  return { container, request };
}
