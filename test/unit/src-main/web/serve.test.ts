import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { AppError } from '../../../../src-main/contract/errors.ts';
import type { Handlers } from '../../../../src-main/handlers/handlers.ts';
import type { OnQuit } from '../../../../src-main/contract/vm.ts';
import { memoryTransports } from '../../../../src-main/handlers/memory-transport.ts';
import { serveWire } from '../../../../src-main/handlers/wire-server.ts';
import type { HostAccess } from '../../../../src-main/host-access.ts';
import { serveWindow } from '../../../../src-main/web/serve.ts';
import { fakeHandlers, until } from '../../../helpers/handlers.ts';
import { someSettings } from '../../../helpers/services.ts';

interface Serving {
  readonly printed: string[];
  readonly reported: string[];
  readonly done: string[];
  readonly stop: AbortController;
  readonly served: Promise<void>;
}

async function serve(
  t: TestContext,
  options: { role?: HostAccess['role']; onQuit?: OnQuit; calls?: Partial<Handlers['calls']> },
): Promise<Serving> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-serve-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'index.html'), '');
  const done: string[] = [];
  const handlers = fakeHandlers({
    calls: {
      'vm.start': () => void done.push('start'),
      'vm.stop': () => void done.push('stop'),
      'vm.sleep': () => void done.push('sleep'),
      'settings.get': () => ({ ...someSettings, onQuit: options.onQuit ?? 'leave-running' }),
      ...options.calls,
    },
  });
  const access: HostAccess = {
    role: options.role ?? 'owner',
    connect: () => {
      const { client, server } = memoryTransports();
      serveWire(handlers, server);
      return Promise.resolve(client);
    },
    [Symbol.asyncDispose]: () => {
      done.push('disposed');
      return Promise.resolve();
    },
  };
  const stop = new AbortController();
  const printed: string[] = [];
  const reported: string[] = [];
  const served = serveWindow({
    access,
    shell: { version: '1', shell: 'web', home: '/h' },
    folder,
    port: 0,
    open: false,
    print: (line) => void printed.push(line),
    report: (line) => void reported.push(line),
    signal: stop.signal,
  });
  t.after(() => stop.abort());
  return { printed, reported, done, stop, served };
}

test('the ready line comes while the VM is still starting, and the page is there', async (t) => {
  const { printed, stop, served } = await serve(t, { calls: { 'vm.start': () => new Promise<void>(() => undefined) } });
  await until(() => printed.length === 1);
  assert.match(printed[0] ?? '', /^Wherry is ready: http:\/\/127\.0\.0\.1:\d+\/#[\w-]{43}$/);
  const { origin } = new URL((printed[0] ?? '').replace(/^.*: /, ''));
  assert.equal((await fetch(origin)).status, 200);
  stop.abort();
  await served;
  await assert.rejects(fetch(origin));
});

test('a VM that cannot start is told with its remedy, and the window is served on', async (t) => {
  const { reported, stop, served } = await serve(t, {
    calls: { 'vm.start': () => Promise.reject(new Error('QEMU was not found')) },
  });
  await until(() => reported.length === 1);
  assert.equal(reported[0], 'QEMU was not found');
  stop.abort();
  await served;
});

test('why the host cannot be reached is told once', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-serve-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'index.html'), '');
  const reported: string[] = [];
  const stop = new AbortController();
  let tries = 0;
  const served = serveWindow({
    access: {
      role: 'undecided',
      connect: () => {
        tries += 1;
        return Promise.reject(new AppError('unavailable', 'read settings.json: it is damaged', { hint: 'Remove it.' }));
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    shell: { version: '1', shell: 'web', home: '/h' },
    folder,
    port: 0,
    open: false,
    print: () => undefined,
    report: (line) => void reported.push(line),
    signal: stop.signal,
  });
  await until(() => tries === 3);
  stop.abort();
  await served;
  assert.deepEqual(reported, ['read settings.json: it is damaged\n  What to do: Remove it.']);
});

test('at the end the VM is stopped, or put to sleep, only by its owner and only if the user set it so', async (t) => {
  for (const [role, onQuit, expected] of [
    ['owner', 'stop', ['start', 'stop', 'disposed']],
    ['owner', 'sleep', ['start', 'sleep', 'disposed']],
    ['client', 'stop', ['start', 'disposed']],
    ['owner', 'leave-running', ['start', 'disposed']],
  ] as const) {
    const { done, stop, served } = await serve(t, { role, onQuit });
    await until(() => done.length === 1);
    stop.abort();
    await served;
    assert.deepEqual(done, expected);
  }
});

test('when the port is taken everything is closed and the error is the caller’s', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-serve-'));
  t.after(() => rm(folder, { recursive: true }));
  let disposed = false;
  const serving = serveWindow({
    access: {
      role: 'undecided',
      connect: () => Promise.reject(new Error('never')),
      [Symbol.asyncDispose]: () => {
        disposed = true;
        return Promise.resolve();
      },
    },
    shell: { version: '1', shell: 'web', home: '/h' },
    folder,
    port: 0,
    open: false,
    print: () => undefined,
    report: () => undefined,
    signal: new AbortController().signal,
  });
  await assert.rejects(serving, { code: 'image-missing' });
  assert.equal(disposed, true);
});
