import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointRecord } from '../../../../../vm/agent/network/endpoint-store.ts';
import { lookUpAddress, lookUpName } from '../../../../../vm/agent/network/names.ts';

const place = (containerName: string, networkName: string, address: string, more: Partial<EndpointRecord> = {}) => ({
  id: address,
  containerId: `${containerName}-0123456789abcdef`,
  containerName,
  networkId: networkName,
  networkName,
  address,
  prefixLength: 16,
  gateway: '',
  mac: '',
  aliases: [],
  links: [],
  interfaceName: 'eth0',
  link: '',
  ...more,
});
const all = [
  place('web', 'shop', '10.1.0.2', { aliases: ['www', 'both'], links: ['db:store'] }),
  place('Db', 'shop', '10.1.0.3', { aliases: ['both'] }),
  place('db', 'back', '10.2.0.2'),
  place('loner', 'bridge', '172.17.0.2'),
];

test('names, aliases and short ids within one’s own networks', () => {
  assert.deepEqual(lookUpName(all, 'db', '10.1.0.2'), ['10.1.0.3']);
  assert.deepEqual(lookUpName(all, 'www.shop', '10.1.0.3'), ['10.1.0.2']);
  assert.deepEqual(lookUpName(all, 'web-01234567', '10.1.0.3'), ['10.1.0.2']);
  assert.deepEqual(lookUpName(all, 'store', '10.1.0.2'), ['10.1.0.3'], 'a link is a name for oneself');
  assert.equal(lookUpName(all, 'store', '10.1.0.3'), undefined);
  assert.deepEqual([...(lookUpName(all, 'both', '10.1.0.2') ?? [])].sort(), ['10.1.0.2', '10.1.0.3']);
});

test('nothing of networks one is not in, nor on the default one', () => {
  assert.equal(lookUpName(all, 'www', '10.2.0.2'), undefined);
  assert.equal(lookUpName(all, 'www.shop', '10.2.0.2'), undefined);
  assert.equal(lookUpName(all, 'loner', '172.17.0.2'), undefined);
  assert.equal(lookUpName(all, 'web', '10.9.9.9'), undefined, 'somebody unknown');
});

test('addresses to names', () => {
  assert.equal(lookUpAddress(all, '10.1.0.2', '10.1.0.3'), 'web.shop');
  assert.equal(lookUpAddress(all, '10.1.0.2', '10.2.0.2'), undefined);
});

test('both families of a container; asked by either', () => {
  const inet6 = (address: string) => ({ inet6: { address, prefixLength: 64, gateway: '' } });
  const both = [
    place('web', 'shop', '10.1.0.2', inet6('fd00::2')),
    place('db', 'shop', '10.1.0.3', inet6('fd00::3')),
    place('old', 'back', '10.2.0.2'),
  ];
  assert.deepEqual([...(lookUpName(both, 'db', '10.1.0.2') ?? [])].sort(), ['10.1.0.3', 'fd00::3']);
  assert.deepEqual([...(lookUpName(both, 'db', 'fd00::2') ?? [])].sort(), ['10.1.0.3', 'fd00::3']);
  assert.equal(lookUpAddress(both, 'fd00::3', '10.1.0.2'), 'db.shop');
  assert.equal(lookUpAddress(both, 'fd00::3', '10.2.0.2'), undefined);
});
