import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FailedPort, WantedPort } from '../../../../../vm/contract/wherry-api.ts';
import type { Firewall, Forward } from '../../../../../vm/agent/network/firewall.ts';
import type { PublishSpec } from '../../../../../vm/agent/network/network.ts';
import type { AddOutcome, PortLink } from '../../../../../vm/agent/network/port-link.ts';
import { createPublishedPorts, type PortOwner } from '../../../../../vm/agent/network/published-ports.ts';

const owner = (name: string): PortOwner => ({
  containerId: `${name}-id`,
  containerName: name,
  endpointId: 'e0e0',
  address: '172.17.0.2',
});
const spec = (hostPort: number | undefined, more: Partial<PublishSpec> = {}): PublishSpec => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIp: '',
  hostPorts: hostPort === undefined ? undefined : { first: hostPort, last: hostPort },
  ...more,
});

/** A host on which some ports are taken. */
function start(_t: TestContext, taken: readonly number[] = [], outcome: AddOutcome = { kind: 'bound' }) {
  const onHost = new Set<number>();
  const forwards = new Set<number>();
  const forgotten: string[] = [];
  const changed: string[] = [];
  const removed: number[] = [];
  const link: PortLink = {
    serve: () => undefined,
    close: () => undefined,
    adopt: (ports: readonly WantedPort[]) => ports.forEach((port) => onHost.add(port.hostPort)),
    add: (port) => {
      if (taken.includes(port.hostPort))
        return Promise.resolve({ kind: 'failed', reason: 'taken', message: 'held by nginx (pid 7)' });
      if (outcome.kind !== 'failed') onHost.add(port.hostPort);
      return Promise.resolve(outcome);
    },
    remove: (port) => {
      onHost.delete(port.hostPort);
      removed.push(port.hostPort);
      return Promise.resolve();
    },
  };
  const firewall: Firewall = {
    load: () => Promise.resolve(),
    publish(added: readonly Forward[]) {
      for (const { guestPort } of added) forwards.add(guestPort);
      return Promise.resolve();
    },
    unpublish(gone: readonly Forward[]) {
      for (const { guestPort } of gone) forwards.delete(guestPort);
      return Promise.resolve();
    },
    forgetUdp: (address) => Promise.resolve(void forgotten.push(address)),
  };
  const ports = createPublishedPorts({ firewall, link: () => link, onChange: (id) => changed.push(id) });
  return { ports, onHost, forwards, forgotten, changed, removed };
}

test('a port asked for is that one; loopback when no address is given', async (t) => {
  const { ports, onHost, forwards } = start(t);
  await ports.publish(owner('web'), [spec(8080), spec(8081, { hostIp: '0.0.0.0', containerPort: 81 })]);
  assert.deepEqual(
    ports.of('web-id').map(({ hostIp, hostPort, containerPort, state }) => [hostIp, hostPort, containerPort, state]),
    [
      ['127.0.0.1', 8080, 80, 'bound'],
      ['0.0.0.0', 8081, 81, 'bound'],
    ],
  );
  assert.deepEqual([...onHost], [8080, 8081]);
  assert.deepEqual([...forwards], [49152, 49153]);
});

test('a port taken on the host: worded as Docker does, naming who holds it, and nothing left', async (t) => {
  const { ports, onHost, forwards } = start(t, [8081]);
  await assert.rejects(ports.publish(owner('web'), [spec(8080), spec(8081)]), {
    code: 'system',
    message:
      'driver failed programming external connectivity on endpoint web (e0e0): ' +
      'Bind for 127.0.0.1:8081 failed: port is already allocated (held by nginx (pid 7))',
  });
  assert.deepEqual([ports.of('web-id'), [...onHost], [...forwards]], [[], [], []]);
});

test('a port another container has is refused without taking it from that one', async (t) => {
  const { ports, onHost, removed } = start(t);
  await ports.publish(owner('web'), [spec(8080)]);
  for (const hostIp of ['', '0.0.0.0', '127.0.0.1']) {
    await assert.rejects(
      ports.publish(owner('other'), [spec(8080, { hostIp })]),
      /port is already allocated \(by container web\)/,
    );
  }
  assert.deepEqual([[...onHost], removed], [[8080], []]);
  await ports.publish(owner('other'), [spec(8080, { hostIp: '192.168.1.5' }), spec(8080, { protocol: 'udp' })]);
});

test('a free choice passes over what is taken, and over what it gave before', async (t) => {
  const { ports } = start(t, [32768, 32770]);
  await ports.publish(owner('a'), [spec(undefined), spec(undefined)]);
  assert.deepEqual(
    ports.of('a-id').map(({ hostPort }) => hostPort),
    [32769, 32771],
  );
  await ports.withdraw('a-id');
  await ports.publish(owner('b'), [spec(undefined)]);
  assert.deepEqual(
    ports.of('b-id').map(({ hostPort }) => hostPort),
    [32772],
  );
});

test('of a range the first free one; when none is, the last refusal', async (t) => {
  const { ports } = start(t, [9000, 9002]);
  await ports.publish(owner('a'), [spec(undefined, { hostPorts: { first: 9000, last: 9002 } })]);
  assert.equal(ports.of('a-id')[0]?.hostPort, 9001);
  await assert.rejects(
    ports.publish(owner('b'), [spec(undefined, { hostPorts: { first: 9000, last: 9002 } })]),
    /Bind for 127\.0\.0\.1:9002 failed: port is already allocated/,
  );
});

test('two at once do not choose the same', async (t) => {
  const { ports } = start(t);
  await Promise.all(['a', 'b', 'c'].map((name) => ports.publish(owner(name), [spec(undefined), spec(undefined)])));
  const chosen = ['a', 'b', 'c'].flatMap((name) => ports.of(`${name}-id`).map(({ hostPort }) => hostPort));
  assert.equal(new Set(chosen).size, 6);
});

test('a forbidden port is refused with the reason of the host, and no other is tried', async (t) => {
  const { ports } = start(t, [], {
    kind: 'failed',
    reason: 'forbidden',
    message: 'only root may bind ports below 1024',
  });
  await assert.rejects(ports.publish(owner('a'), [spec(80)]), /Bind for 127\.0\.0\.1:80 failed: only root may bind/);
});

test('withdrawn: gone from host and firewall; UDP is forgotten; the guest port is free again', async (t) => {
  const { ports, onHost, forwards, forgotten } = start(t);
  await ports.publish(owner('a'), [spec(53, { protocol: 'udp' }), spec(80)]);
  await ports.withdraw('a-id');
  await ports.withdraw('a-id');
  assert.deepEqual([ports.of('a-id'), [...onHost], [...forwards], forgotten], [[], [], [], ['172.17.0.2']]);
  await ports.publish(owner('b'), [spec(81)]);
  assert.deepEqual([...forwards], [49152]);
});

test('adopted after a restart: pending until the host has said, and not chosen again', async (t) => {
  const { ports, changed } = start(t);
  ports.adopt(owner('old'), [
    { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 32768, guestPort: 49152 },
  ]);
  assert.equal(ports.of('old-id')[0]?.state, 'pending');
  await ports.publish(owner('new'), [spec(undefined)]);
  assert.equal(ports.of('new-id')[0]?.hostPort, 32769);
  assert.equal(ports.recordsOf('new-id')[0]?.guestPort, 49153);
  const wanted: WantedPort = {
    protocol: 'tcp',
    hostIp: '127.0.0.1',
    hostPort: 32768,
    guestPort: 49152,
    containerId: 'old-id',
  };
  ports.settled(wanted, undefined);
  ports.settled(wanted, undefined);
  assert.deepEqual([ports.of('old-id')[0]?.state, changed], ['bound', ['old-id']]);
});

test('refused when the host comes later: a fixed port is marked as failed, a free one moves on', async (t) => {
  const { ports, changed, onHost } = start(t, [32768], { kind: 'pending' });
  const refuse = (name: string): void => {
    const [record] = ports.recordsOf(`${name}-id`);
    assert.ok(record !== undefined);
    const port: WantedPort = { ...record, containerId: `${name}-id` };
    const failed: FailedPort = { port, reason: 'taken', message: 'held by nginx (pid 7)' };
    ports.settled(port, failed);
  };
  await ports.publish(owner('fixed'), [spec(8080)]);
  refuse('fixed');
  assert.deepEqual(ports.of('fixed-id')[0], {
    protocol: 'tcp',
    containerPort: 80,
    hostIp: '127.0.0.1',
    hostPort: 8080,
    state: 'failed',
    detail: 'held by nginx (pid 7)',
  });
  await ports.publish(owner('free'), [spec(undefined)]);
  assert.equal(ports.of('free-id')[0]?.hostPort, 32769);
  refuse('free');
  while (!changed.includes('free-id')) await new Promise(setImmediate);
  assert.equal(ports.of('free-id')[0]?.hostPort, 32770);
  assert.ok(!onHost.has(32769));
});
