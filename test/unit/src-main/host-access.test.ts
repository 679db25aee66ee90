import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { createReconnectingClient } from '../../../src-main/contract/reconnecting-client.ts';
import { createWireClient } from '../../../src-main/contract/wire-client.ts';
import { AppError } from '../../../src-main/contract/errors.ts';
import { accessHost, type HostAccess } from '../../../src-main/host-access.ts';
import type { HostServices } from '../../../src-main/services.ts';
import { until } from '../../helpers/handlers.ts';
import { fakeServices } from '../../helpers/services.ts';

/** A home whose lock is a variable: processes are imitated by several accesses. */
async function home(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-access-'));
  t.after(() => rm(folder, { recursive: true }));
  let locked = false;
  let created = 0;
  const hostSocket = path.join(folder, 'host.sock');
  const open = (
    overrides: { createServices?: () => Promise<HostServices & AsyncDisposable>; mayOwn?: boolean } = {},
  ): HostAccess => {
    const access = accessHost({
      hostSocket,
      shell: { version: '1.2.3', shell: 'web', home: folder },
      lock: () => {
        if (locked) return Promise.reject(new AppError('conflict', 'held'));
        locked = true;
        return Promise.resolve({
          [Symbol.asyncDispose]: () => {
            locked = false;
            return Promise.resolve();
          },
        });
      },
      createServices: () => {
        created += 1;
        return Promise.resolve(fakeServices({ home: folder }));
      },
      ...overrides,
    });
    t.after(() => access[Symbol.asyncDispose]());
    return access;
  };
  return { open, hostSocket, isLocked: () => locked, created: () => created };
}

test('the first owns the home, the second speaks to it over the control socket', async (t) => {
  const { open, hostSocket, created } = await home(t);
  const first = open();
  const second = open();
  const owner = createWireClient(await first.connect());
  const client = createWireClient(await second.connect());
  assert.deepEqual([first.role, second.role, created()], ['owner', 'client', 1]);
  for (const each of [owner, client]) assert.equal((await each.call('settings.get', {})).vm.cpus, 2);
  assert.equal((await stat(hostSocket)).mode & 0o777, 0o600);
  owner.close();
  client.close();
});

test('connections made at once share one start', async (t) => {
  const { open, created } = await home(t);
  const access = open();
  const transports = await Promise.all([access.connect(), access.connect(), access.connect()]);
  assert.equal(created(), 1);
  for (const transport of transports) transport.close();
});

test('when the owner ends, another takes over and its windows go on', async (t) => {
  const { open, created } = await home(t);
  const first = open();
  await first.connect();
  const second = open();
  const client = createReconnectingClient((signal) => second.connect(signal), { retryDelaysMs: [2] });
  t.after(() => client.close());
  let values = 0;
  client.subscribe('settings', () => (values += 1));
  await until(() => values === 1);
  await first[Symbol.asyncDispose]();
  await until(() => values === 2);
  assert.deepEqual([second.role, created()], ['owner', 2]);
});

test('a dead owner’s socket file does not stand in the way', async (t) => {
  const { open, hostSocket } = await home(t);
  await writeFile(hostSocket, '');
  const access = open();
  const client = createWireClient(await access.connect());
  await client.call('settings.get', {});
  client.close();
});

test('without an owner a mere client is refused, and stays a client', async (t) => {
  const { open, isLocked } = await home(t);
  const access = open({ mayOwn: false });
  await assert.rejects(access.connect(), { code: 'unavailable' });
  assert.equal(isLocked(), false);
});

test('when the services cannot be built the lock is given back and the next try may succeed', async (t) => {
  const { open, isLocked } = await home(t);
  let fail = true;
  const access = open({
    createServices: () =>
      fail ? Promise.reject(new AppError('qemu-missing', 'no QEMU')) : Promise.resolve(fakeServices({})),
  });
  await assert.rejects(access.connect(), { code: 'qemu-missing' });
  assert.equal(isLocked(), false);
  fail = false;
  (await access.connect()).close();
});

test('disposing closes every connection, frees the home and refuses new ones', async (t) => {
  const { open, isLocked, hostSocket } = await home(t);
  const first = open();
  await first.connect();
  const client = createWireClient(await open({ mayOwn: false }).connect());
  let lost = false;
  client.onDisconnect(() => (lost = true));
  await first[Symbol.asyncDispose]();
  await until(() => lost);
  assert.equal(isLocked(), false);
  await assert.rejects(stat(hostSocket), { code: 'ENOENT' });
  await assert.rejects(first.connect(), { code: 'cancelled' });
});
