/** Who shares whose namespaces, user namespace and ids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedNamespaces } from '../../../../../vm/agent/use-cases/shared-namespaces.ts';
import { makeEngine, type TestEngine } from '../../../../helpers/engine-parts.ts';

async function running(engine: TestEngine, name: string, pid: number, hostConfig: object = {}) {
  const id = await engine.create(name, { HostConfig: { UsernsMode: '', ...hostConfig } });
  const { state } = engine.parts.store.find(id);
  return engine.parts.store.update(id, { state: { ...state, status: 'running', pid } });
}

test('with a container’s network come its ids and its user namespace, and rights over what it made itself', async (t) => {
  const engine = await makeEngine(t);
  const donor = await running(engine, 'donor', 70);
  const other = await running(engine, 'other', 80);
  assert.notEqual(donor.idSlot, other.idSlot);
  const joiner = await running(engine, 'joiner', 90, { NetworkMode: 'container:donor', PidMode: 'container:other' });
  assert.equal(joiner.idSlot, donor.idSlot);
  assert.deepEqual(sharedNamespaces(engine.parts, joiner), {
    network: { path: '/proc/70/ns/net', isOfUserNamespace: true },
    pid: { path: '/proc/80/ns/pid', isOfUserNamespace: false },
    ipc: undefined,
    user: { path: '/proc/70/ns/user' },
  });
  const third = await running(engine, 'third', 91, { NetworkMode: 'container:joiner' });
  assert.equal(third.idSlot, donor.idSlot);
  const short = await running(engine, 'short', 92, { PidMode: `container:${donor.id.slice(0, 12)}` });
  assert.equal(short.idSlot, donor.idSlot, 'as docker ps prints its id');
  const early = await running(engine, 'early', 93, { NetworkMode: 'container:later' });
  assert.notEqual(early.idSlot, donor.idSlot, 'one that is not there yet gives nothing');
  assert.equal(sharedNamespaces(engine.parts, third).network?.isOfUserNamespace, false, 'it is the donor’s');
});

test('a donor that was made anew has other ids: its user namespace is not entered', async (t) => {
  const engine = await makeEngine(t);
  const donor = await running(engine, 'donor', 70);
  const joiner = await running(engine, 'joiner', 90, { NetworkMode: 'container:donor' });
  engine.parts.store.remove(donor.id);
  const fresh = await running(engine, 'donor', 71);
  assert.notEqual(fresh.idSlot, joiner.idSlot, 'ids in use are not given out again');
  const { network, user } = sharedNamespaces(engine.parts, joiner);
  assert.deepEqual([network, user], [{ path: '/proc/71/ns/net', isOfUserNamespace: false }, undefined]);
});

test('who is the guest’s own root stays that; who does not run cannot be joined', async (t) => {
  const engine = await makeEngine(t);
  const donor = await running(engine, 'donor', 70);
  const root = await running(engine, 'root', 90, { UsernsMode: 'host', NetworkMode: 'container:donor' });
  assert.equal(root.idSlot, undefined);
  assert.equal(sharedNamespaces(engine.parts, root).user, undefined);
  engine.parts.store.update(donor.id, { state: { ...donor.state, status: 'exited' } });
  assert.throws(() => sharedNamespaces(engine.parts, root), { code: 'conflict' });
});
