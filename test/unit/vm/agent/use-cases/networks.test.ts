/** Containers and networks through the use cases, over networks in memory. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Filters } from '../../../../../vm/agent/filters.ts';
import { connectBody, createNetworkBody } from '../../../../../vm/agent/http/network-body.ts';
import { networksView } from '../../../../../vm/agent/use-cases/inspect-container.ts';
import { inspectNetwork, listNetworks } from '../../../../../vm/agent/use-cases/list-networks.ts';
import {
  connectContainer,
  createNetwork,
  disconnectContainer,
  pruneNetworks,
  removeNetwork,
} from '../../../../../vm/agent/use-cases/manage-networks.ts';
import { containerPaths } from '../../../../../vm/agent/use-cases/parts.ts';
import { startContainer } from '../../../../../vm/agent/use-cases/start-container.ts';
import { makeEngine } from '../../../../helpers/engine-parts.ts';
import type { TestEngine } from '../../../../helpers/engine-parts.ts';

const skip = process.getuid?.() === 0 ? false : 'files are given to the container’s root, which needs root';
const make = (engine: TestEngine, body: object) => createNetwork(engine.parts, createNetworkBody.parse(body));
const connect = (engine: TestEngine, network: string, body: object) =>
  connectContainer(engine.parts, network, connectBody.parse(body));
const namesOf = (engine: TestEngine, id: string): string[] =>
  Object.keys(networksView(engine.parts.store.find(id), engine.parts.network.endpointsOf(id)));

test('create: what cannot be had is refused in words', async (t) => {
  const engine = await makeEngine(t);
  const refused = async (body: object, code: string): Promise<void> => {
    await assert.rejects(make(engine, body), { code }, JSON.stringify(body));
  };
  await refused({}, 'invalid-parameter');
  await refused({ Name: 'x', Driver: 'host' }, 'forbidden');
  await refused({ Name: 'x', Driver: 'overlay' }, 'unavailable');
  await refused({ Name: 'x', Driver: 'macvlan', Options: { parent: 'eth0' } }, 'invalid-parameter');
  await refused({ Name: 'x', Driver: 'weave' }, 'not-found');
  await refused({ Name: 'x', EnableIPv4: false, EnableIPv6: true }, 'invalid-parameter');
  await refused({ Name: 'x', IPAM: { Driver: 'weave' } }, 'not-found');
  const subnets = (...all: string[]): object => ({ IPAM: { Config: all.map((Subnet) => ({ Subnet })) } });
  await refused({ Name: 'x', EnableIPv6: true, ...subnets('fd00::/64', 'fd01::/64') }, 'invalid-parameter');
  await refused({ Name: 'x', EnableIPv6: true, ...subnets('fd00::5/64') }, 'invalid-parameter');
  await refused({ Name: 'x', ...subnets('10.1.0.0/16', '10.2.0.0/16') }, 'invalid-parameter');
  assert.deepEqual(engine.events, []);
});

test('create, list, inspect, remove, with events', async (t) => {
  const engine = await makeEngine(t);
  const { id } = await make(engine, { Name: 'shop', Driver: 'bridge', Labels: { a: 'b' }, Attachable: true });
  const list = (filters: object): string[] =>
    listNetworks(engine.parts, Filters.parse(JSON.stringify(filters), Object.keys(filters))).map(
      (view) => (view as { Name: string }).Name,
    );
  assert.deepEqual(list({ type: ['custom'] }), ['shop']);
  assert.deepEqual(list({ dangling: ['true'] }), ['shop']);
  assert.deepEqual(list({ dangling: ['false'] }), ['bridge', 'host', 'none']);
  assert.deepEqual(list({ label: ['a=b'] }), ['shop']);
  const { IPAM, Attachable } = inspectNetwork(engine.parts, id) as { IPAM: object; Attachable: boolean };
  assert.deepEqual(IPAM, {
    Driver: 'default',
    Options: {},
    Config: [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }],
  });
  assert.equal(Attachable, true);
  await removeNetwork(engine.parts, 'shop');
  assert.deepEqual(
    engine.events.map(({ Action, Actor }) => [Action, Actor.Attributes.name, Actor.Attributes.type]),
    [
      ['create', 'shop', 'bridge'],
      ['destroy', 'shop', 'bridge'],
    ],
  );
});

test('IPv6: told of the network, of a place in it, and in /etc/hosts', { skip }, async (t) => {
  const engine = await makeEngine(t);
  await make(engine, {
    Name: 'shop',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: 'fd00::/64', Gateway: 'fd00::fe' }, { Subnet: '10.9.0.0/24' }] },
  });
  const id = await engine.create('web', { Hostname: 'web', HostConfig: { NetworkMode: 'bridge' } });
  await startContainer(engine.parts, id);
  const asked = { IPv4Address: '10.9.0.9', IPv6Address: 'fd00::9' };
  await connect(engine, 'shop', { Container: id, EndpointConfig: { IPAMConfig: asked } });
  const shown = inspectNetwork(engine.parts, 'shop') as {
    EnableIPv6: boolean;
    IPAM: { Config: object[] };
    Containers: Record<string, { IPv6Address: string }>;
  };
  assert.equal(shown.EnableIPv6, true);
  assert.deepEqual(shown.IPAM.Config, [
    { Subnet: '10.9.0.0/24', Gateway: '10.9.0.1' },
    { Subnet: 'fd00::/64', Gateway: 'fd00::fe' },
  ]);
  assert.equal(shown.Containers[id]?.IPv6Address, 'fd00::9/64');
  assert.equal((inspectNetwork(engine.parts, 'bridge') as typeof shown).EnableIPv6, false);
  const place = networksView(engine.parts.store.find(id), engine.parts.network.endpointsOf(id)).shop as Record<
    string,
    unknown
  >;
  assert.deepEqual(
    [place.GlobalIPv6Address, place.GlobalIPv6PrefixLen, place.IPv6Gateway, place.IPAMConfig],
    ['fd00::9', 64, 'fd00::fe', asked],
  );
  const { hosts } = containerPaths(engine.parts.config, id);
  assert.match(await readFile(hosts, 'utf8'), /\n10\.9\.0\.9\tweb\nfd00::9\tweb\n$/);
  await disconnectContainer(engine.parts, 'shop', { container: id, force: false });
  assert.doesNotMatch(await readFile(hosts, 'utf8'), /fd00/);
});

test('IPv6 switched off for a container by --sysctl: it has no such address', { skip }, async (t) => {
  const engine = await makeEngine(t);
  await make(engine, { Name: 'shop', EnableIPv6: true });
  const inet6 = async (name: string, Sysctls: Record<string, string>): Promise<unknown> => {
    const id = await engine.create(name, { HostConfig: { NetworkMode: 'shop', Sysctls } });
    await startContainer(engine.parts, id);
    return engine.parts.network.endpointsOf(id)[0]?.inet6?.address;
  };
  assert.equal(await inet6('off', { 'net.ipv6.conf.all.disable_ipv6': '1' }), undefined);
  assert.equal(await inet6('on', { 'net.ipv6.conf.all.disable_ipv6': '0' }), 'fd12:3456:789a::2');
});

test('an IPv6 subnet without IPv6 is left alone, as Docker does, and that is said', async (t) => {
  const engine = await makeEngine(t);
  const { id, warning } = await make(engine, { Name: 'x', IPAM: { Config: [{ Subnet: 'fd00::/64' }] } });
  assert.equal(warning, 'the subnet fd00::/64 is not used: IPv6 is not enabled for the network');
  assert.equal((inspectNetwork(engine.parts, id) as { EnableIPv6: boolean }).EnableIPv6, false);
});

test('prune takes what nobody is in', { skip }, async (t) => {
  const engine = await makeEngine(t);
  await make(engine, { Name: 'used' });
  await make(engine, { Name: 'kept', Labels: { keep: '1' } });
  await make(engine, { Name: 'unused' });
  await startContainer(engine.parts, await engine.create('web', { HostConfig: { NetworkMode: 'used' } }));
  assert.deepEqual(await pruneNetworks(engine.parts, Filters.parse('{"label!":["keep"]}', ['label!'])), ['unused']);
});

test('create names networks it does not know; the start says so', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('web', { HostConfig: { NetworkMode: 'nope' } });
  engine.network.failure = undefined;
  await assert.rejects(startContainer(engine.parts, id), /network nope not found/);
  assert.equal(engine.parts.store.find(id).state.status, 'created');
  const joined = await engine.create('joined', { HostConfig: { NetworkMode: 'container:nope' } });
  await assert.rejects(startContainer(engine.parts, joined), /No such container: nope/);
});

test('a stopped container is connected at its next start, the network of its mode first', { skip }, async (t) => {
  const engine = await makeEngine(t);
  await make(engine, { Name: 'shop' });
  const id = await engine.create('web', {
    HostConfig: { NetworkMode: 'default' },
    NetworkingConfig: { EndpointsConfig: { default: { MacAddress: '02:42:ac:11:00:99' } } },
  });
  await connect(engine, 'shop', { Container: 'web', EndpointConfig: { Aliases: ['www'] } });
  await assert.rejects(connect(engine, 'shop', { Container: 'web' }), { code: 'forbidden' });
  assert.deepEqual(namesOf(engine, id), ['bridge', 'shop']);
  await assert.rejects(disconnectContainer(engine.parts, 'host', { container: 'web', force: false }), {
    message: `container ${id} is not connected to network host`,
  });
  await startContainer(engine.parts, id);
  assert.deepEqual(
    engine.parts.network.endpointsOf(id).map(({ networkName, aliases }) => [networkName, aliases]),
    [
      ['bridge', []],
      ['shop', ['www']],
    ],
  );
  await disconnectContainer(engine.parts, 'bridge', { container: 'web', force: false });
  assert.deepEqual(namesOf(engine, id), ['shop']);
  assert.deepEqual(
    engine.events.filter(({ Type }) => Type === 'network').map(({ Action, Actor }) => [Action, Actor.Attributes.name]),
    [
      ['create', 'shop'],
      ['connect', 'bridge'],
      ['connect', 'shop'],
      ['disconnect', 'bridge'],
    ],
  );
});

test('/etc/hosts follows connect and disconnect and keeps what the container wrote', { skip }, async (t) => {
  const engine = await makeEngine(t);
  await make(engine, { Name: 'shop' });
  const id = await engine.create('web', { Hostname: 'web', HostConfig: { NetworkMode: 'bridge' } });
  await startContainer(engine.parts, id);
  const { hosts } = containerPaths(engine.parts.config, id);
  const { writeFile } = await import('node:fs/promises');
  await writeFile(hosts, `${await readFile(hosts, 'utf8')}192.0.2.1\tmine\n`);
  await connect(engine, 'shop', { Container: id, EndpointConfig: { IPAMConfig: { IPv4Address: '172.18.0.9' } } });
  assert.match(await readFile(hosts, 'utf8'), /172\.17\.0\.2\tweb\n192\.0\.2\.1\tmine\n172\.18\.0\.9\tweb\n$/);
  await disconnectContainer(engine.parts, 'bridge', { container: id, force: false });
  assert.match(await readFile(hosts, 'utf8'), /ip6-allrouters\n192\.0\.2\.1\tmine\n172\.18\.0\.9\tweb\n$/);
});

test('networks that are not the container’s own are left alone', async (t) => {
  const engine = await makeEngine(t);
  await make(engine, { Name: 'shop' });
  for (const NetworkMode of ['host', 'none', 'container:x']) {
    const id = await engine.create(`in-${NetworkMode.split(':')[0] ?? ''}`, { HostConfig: { NetworkMode } });
    await assert.rejects(connect(engine, 'shop', { Container: id }), { code: 'forbidden' }, NetworkMode);
  }
  const web = await engine.create('web', { HostConfig: { NetworkMode: 'shop' } });
  await assert.rejects(connect(engine, 'none', { Container: web }), /in private \(none\) mode$/);
  await assert.rejects(connect(engine, 'nope', { Container: 'nope' }), /network nope not found/);
  await assert.rejects(connect(engine, 'shop', { Container: 'nope' }), /No such container: nope/);
});
