import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNetworkMode } from '../../../../../vm/agent/network/network-mode.ts';
import { defaultNetworks, findNetwork } from '../../../../../vm/agent/network/networks.ts';

test('modes', () => {
  assert.deepEqual(parseNetworkMode(''), { kind: 'network', name: 'bridge' });
  assert.deepEqual(parseNetworkMode('default'), { kind: 'network', name: 'bridge' });
  assert.deepEqual(parseNetworkMode('none'), { kind: 'none' });
  assert.deepEqual(parseNetworkMode('host'), { kind: 'host' });
  assert.deepEqual(parseNetworkMode('container:web'), { kind: 'container', container: 'web' });
  assert.deepEqual(parseNetworkMode('mine'), { kind: 'network', name: 'mine' });
  assert.throws(() => parseNetworkMode('container:'), { code: 'invalid-parameter' });
});

test('networks are found by name, id and unique prefix; ids stay over starts and differ between VMs', () => {
  const networks = defaultNetworks('vm-1', 1, 1500);
  const [bridge] = networks;
  assert.ok(bridge !== undefined);
  assert.equal(findNetwork(networks, 'bridge'), bridge);
  assert.equal(findNetwork(networks, bridge.id), bridge);
  assert.equal(findNetwork(networks, bridge.id.slice(0, 12)), bridge);
  assert.throws(() => findNetwork(networks, 'mine'), { code: 'not-found', message: 'network mine not found' });
  assert.throws(() => findNetwork(networks, ''), { code: 'not-found' });
  assert.equal(defaultNetworks('vm-1', 2, 1400)[0]?.id, bridge.id);
  assert.notEqual(defaultNetworks('vm-2', 1, 1500)[0]?.id, bridge.id);
});
