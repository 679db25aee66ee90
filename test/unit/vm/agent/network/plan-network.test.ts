import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkRequest } from '../../../../../vm/agent/network/network.ts';
import {
  bridgeName,
  defaultNetworks,
  findNetwork,
  inet6PoolOf,
  leadsOut,
  sharedParentName,
} from '../../../../../vm/agent/network/networks.ts';
import { checkRemovable, defaultInetPools, planNetwork, poolOf } from '../../../../../vm/agent/network/plan-network.ts';
import { sharedKindOf } from '../../../../../vm/agent/network/shared-kind.ts';

const existing = defaultNetworks('test', 0, 1500);
const request = (name: string, more: Partial<NetworkRequest> = {}): NetworkRequest => ({
  name,
  driver: 'bridge',
  internal: false,
  attachable: false,
  ipam: {},
  options: {},
  labels: {},
  ...more,
});
const plan = (given: NetworkRequest, others = existing, reserved: string[] = [], inetPools = defaultInetPools) =>
  planNetwork('a'.repeat(64), given, { networks: others, reserved, inetPools, inet6Pool: 'fd12:3456:789a::/48' });

test('subnets are chosen from the pools, past those in use', () => {
  const first = plan(request('one'));
  assert.deepEqual(first.subnets, [{ subnet: '172.18.0.0/16', gateway: '172.18.0.1' }]);
  assert.equal(bridgeName(first), 'br-aaaaaaaaaaaa');
  assert.equal(
    plan(request('two'), [...existing, { ...first, id: 'b'.repeat(64) }]).subnets[0]?.subnet,
    '172.19.0.0/16',
  );
  assert.equal(plan(request('three'), existing, ['172.16.0.0/12']).subnets[0]?.subnet, '192.168.0.0/20');
  assert.throws(() => plan(request('four'), existing, ['172.16.0.0/12', '192.168.0.0/16']), {
    message: 'all predefined address pools have been fully subnetted',
  });
});

test('pools that somebody chose: in their order, past what is taken, and nothing else', () => {
  const pools = [
    { whole: '10.10.0.0/23', prefixLength: 24 },
    { whole: '192.168.64.0/18', prefixLength: 26 },
  ];
  const others = [...existing];
  const chosen = ['one', 'two', 'three', 'four'].map((name, index) => {
    const record = plan(request(name), others, ['192.168.64.0/25'], pools);
    others.push({ ...record, id: String(index).repeat(64) });
    return record.subnets[0];
  });
  assert.deepEqual(chosen, [
    { subnet: '10.10.0.0/24', gateway: '10.10.0.1' },
    { subnet: '10.10.1.0/24', gateway: '10.10.1.1' },
    { subnet: '192.168.64.128/26', gateway: '192.168.64.129' },
    { subnet: '192.168.64.192/26', gateway: '192.168.64.193' },
  ]);
  assert.throws(() => plan(request('full'), existing, ['10.10.0.0/22'], pools.slice(0, 1)), {
    message: 'all predefined address pools have been fully subnetted',
  });
});

test('a large network in a pool of small ones is stepped over at once', { timeout: 2000 }, () => {
  const { subnets } = plan(request('late'), existing, ['10.0.0.0/9'], [{ whole: '10.0.0.0/8', prefixLength: 30 }]);
  assert.deepEqual(subnets, [{ subnet: '10.128.0.0/30', gateway: '10.128.0.1' }]);
});

test('a subnet of the user’s own: gateway, range and kept addresses', () => {
  const { subnets } = plan(
    request('mine', {
      ipam: { subnet: '10.9.0.0/24', range: '10.9.0.128/25', auxiliary: { printer: '10.9.0.130' } },
    }),
  );
  assert.equal(subnets[0]?.gateway, '10.9.0.129');
  const [pool] = subnets.map(poolOf);
  assert.ok(pool !== undefined);
  assert.deepEqual([pool.take(), pool.take()], ['10.9.0.128', '10.9.0.131']);
  assert.equal(pool.take('10.9.0.5'), '10.9.0.5', 'asked for by name, outside of the range');
  assert.throws(() => pool.take('10.9.0.130'), { message: 'Address already in use' });
});

test('bad requests, in words that say what to change', () => {
  const bad =
    (ipam: NetworkRequest['ipam']): (() => unknown) =>
    () =>
      plan(request('x', { ipam }));
  assert.throws(() => plan(request('../x')), { code: 'invalid-parameter' });
  assert.throws(() => plan(request('bridge')), {
    code: 'forbidden',
    message: 'operation is not permitted on predefined bridge network',
  });
  assert.throws(bad({ subnet: '172.17.128.0/20' }), {
    code: 'forbidden',
    message: 'Pool overlaps with other one on this address space',
  });
  for (const ipam of [
    { gateway: '10.9.0.1' },
    { subnet: '10.9.0.5/24' },
    { subnet: '10.9.0.0/31' },
    { subnet: 'ten' },
    { subnet: '10.9.0.0/24', gateway: '10.8.0.1' },
    { subnet: '10.9.0.0/24', range: '10.0.0.0/8' },
    { subnet: '10.9.0.0/24', auxiliary: { a: '10.1.1.1' } },
  ]) {
    assert.throws(bad(ipam), { code: 'invalid-parameter' }, JSON.stringify(ipam));
  }
});

test('IPv6: a part of this VM’s own addresses, or what is asked for', () => {
  const first = plan(request('one', { ipam6: {} }));
  assert.deepEqual(first.subnets[1], { subnet: 'fd12:3456:789a::/64', gateway: 'fd12:3456:789a::1' });
  const second = plan(request('two', { ipam6: {} }), [...existing, { ...first, id: 'b'.repeat(64) }]);
  assert.equal(second.subnets[1]?.subnet, 'fd12:3456:789a:1::/64');
  assert.throws(() => plan(request('full', { ipam6: {} }), existing, ['fd12:3456:7800::/40']), {
    message: 'all predefined address pools have been fully subnetted',
  });
  const ipam6 = { subnet: 'FD01:0::/64', gateway: 'fd01:0:0::0:fe', range: 'fd01::1:0/112' };
  assert.deepEqual(plan(request('mine', { ipam: { subnet: '10.9.0.0/24' }, ipam6 })).subnets, [
    { subnet: '10.9.0.0/24', gateway: '10.9.0.1' },
    { subnet: 'fd01::/64', gateway: 'fd01::fe', range: 'fd01::1:0/112' },
  ]);
  assert.match(inet6PoolOf('this'), /^fd[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}::\/48$/);
  assert.notEqual(inet6PoolOf('this'), inet6PoolOf('that'));
});

test('bad IPv6 requests, in Docker’s words', () => {
  const refused = (ipam6: NetworkRequest['ipam'], message: string): void =>
    assert.throws(() => plan(request('x', { ipam6 })), { message: `invalid network config:\n${message}` });
  refused({ subnet: 'fd00::/129' }, 'invalid subnet fd00::/129: invalid CIDR block notation');
  refused({ subnet: 'fd00::1::/64' }, 'invalid subnet fd00::1::/64: invalid CIDR block notation');
  refused({ subnet: 'fd00::5/64' }, 'invalid subnet fd00::5/64: it should be fd00::/64');
  refused({ subnet: 'fd00::/127' }, 'invalid subnet fd00::/127: it has no room for containers');
  const subnet = 'fd00::/64';
  const outside = "parent subnet fd00::/64 doesn't contain this address";
  refused({ subnet, gateway: 'fd01::1' }, `invalid gateway fd01::1: ${outside}`);
  refused({ subnet, gateway: '10.0.0.1' }, 'invalid gateway 10.0.0.1: parent subnet is an IPv6 block');
  refused({ subnet, gateway: 'fe80::1%eth0' }, 'invalid gateway fe80::1%eth0: invalid address');
  refused({ subnet, auxiliary: { nas: 'fd01::9' } }, `invalid auxiliary address nas: ${outside}`);
  refused(
    { subnet, range: 'fd00::/48' },
    'invalid ip-range fd00::/48: CIDR block is bigger than its parent subnet fd00::/64',
  );
  refused(
    { subnet, range: 'fd01::/80' },
    "invalid ip-range fd01::/80: parent subnet fd00::/64 doesn't contain ip-range",
  );
  for (const none of ['fe80::/64', 'ff02::/64', '::/64', '::ffff:0:0/100']) {
    refused({ subnet: none }, `'${none}' is not a valid IPv6 subnet`);
  }
  const mine = plan(request('mine', { ipam6: { subnet } }));
  assert.throws(() => plan(request('again', { ipam6: { subnet: 'fd00::/48' } }), [...existing, mine]), {
    code: 'forbidden',
    message: 'Pool overlaps with other one on this address space',
  });
});

test('the name of the link: a word the kernel takes, and nobody else’s', () => {
  const named = (name: string) => request('x', { options: { 'com.docker.network.bridge.name': name } });
  assert.equal(bridgeName(plan(named('shop0'))), 'shop0');
  for (const name of ['lo', 'eth0', 'veth1', 'a-name-that-is-too-long', '../x', '']) {
    assert.throws(() => plan(named(name)), { code: 'invalid-parameter' }, name);
  }
  assert.throws(() => plan(named('docker0')), /networks have same bridge name/);
});

test('the MTU: a number that the kernel takes, and IPv6 wants more', () => {
  const withMtu = (mtu: string, ipam6?: object) =>
    request('x', { options: { 'com.docker.network.driver.mtu': mtu }, ...(ipam6 === undefined ? {} : { ipam6 }) });
  plan(withMtu('1000'));
  plan(withMtu('1280', {}));
  assert.throws(() => plan(withMtu('1000', {})), { message: 'invalid MTU number: 1000: it is 1280 to 65535 here' });
  for (const mtu of ['', '-1', '10', 'many', '70000', '1e3']) {
    assert.throws(() => plan(withMtu(mtu)), { code: 'invalid-parameter' }, mtu);
  }
});

test('what every engine has stays; what is in use says by whom', () => {
  assert.throws(() => checkRemovable(findNetwork(existing, 'bridge'), []), {
    message: 'bridge is a pre-defined network and cannot be removed',
  });
  const mine = plan(request('mine'));
  checkRemovable(mine, []);
  assert.throws(() => checkRemovable(mine, [{ containerName: 'web' }]), /active endpoints \(name:"web"\)/);
});

test('macvlan and ipvlan: their modes, words for what cannot be had, and no bridge', () => {
  const of = (driver: 'macvlan' | 'ipvlan', options: Record<string, string> = {}) =>
    sharedKindOf(plan(request('shared', { driver, options })));
  assert.deepEqual(of('macvlan'), { driver: 'macvlan', mode: 'bridge' });
  assert.deepEqual(of('macvlan', { macvlan_mode: 'vepa' }), { driver: 'macvlan', mode: 'vepa' });
  assert.deepEqual(of('ipvlan'), { driver: 'ipvlan', mode: 'l2', flag: 'bridge' });
  assert.deepEqual(of('ipvlan', { ipvlan_mode: 'l3s', ipvlan_flag: 'private' }), {
    driver: 'ipvlan',
    mode: 'l3s',
    flag: 'private',
  });
  assert.throws(() => of('macvlan', { macvlan_mode: 'x' }), {
    message: "requested macvlan mode 'x' is not valid, 'bridge' mode is the macvlan driver default",
  });
  assert.throws(() => of('ipvlan', { ipvlan_mode: 'l4' }), /requested ipvlan mode 'l4' is not valid/);
  assert.throws(() => of('ipvlan', { ipvlan_flag: 'x' }), /requested ipvlan flag 'x' is not valid/);
  assert.throws(() => of('macvlan', { macvlan_mode: 'passthru' }), /passthru cannot be had/);
  assert.throws(() => of('ipvlan', { parent: 'eth0' }), /the parent eth0 cannot be shared: .* Leave the option out/);
  const record = plan(request('shared', { driver: 'macvlan', options: { 'com.docker.network.bridge.name': 'x' } }));
  assert.deepEqual([bridgeName(record), sharedParentName(record)], ['gw-aaaaaaaaaaaa', 'dm-aaaaaaaaaaaa']);
  assert.deepEqual([leadsOut(record), leadsOut(plan(request('own')))], [false, true]);
  assert.equal(sharedKindOf(plan(request('own'))), undefined);
});
