import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAddressPool, macOfAddress } from '../../../../../vm/agent/network/address-pool.ts';

test('the lowest free address, never the gateway, the network or the broadcast', () => {
  const pool = createAddressPool('10.1.2.0/29', '10.1.2.3');
  assert.deepEqual(
    Array.from({ length: 5 }, () => pool.take()),
    ['10.1.2.1', '10.1.2.2', '10.1.2.4', '10.1.2.5', '10.1.2.6'],
  );
  assert.throws(() => pool.take(), /no available IPv4 addresses/);
  pool.release('10.1.2.4');
  pool.release('10.1.2.3');
  pool.release('10.1.2.7');
  assert.equal(pool.take(), '10.1.2.4');
  assert.throws(() => pool.take(), /no available IPv4 addresses/);
});

test('a wanted address, once', () => {
  const pool = createAddressPool('172.17.0.0/16', '172.17.0.1');
  assert.equal(pool.take('172.17.5.6'), '172.17.5.6');
  assert.throws(() => pool.take('172.17.5.6'), /already in use/);
  assert.throws(() => pool.take('172.18.0.2'), /does not belong/);
  assert.throws(() => pool.take('172.17.255.255'), /does not belong/);
  assert.throws(() => pool.take('x'), { code: 'invalid-parameter' });
});

test('a subnet that is none is refused', () => {
  for (const subnet of ['10.0.0.0', '10.0.0.0/33', '10.0.0.1/24', '300.0.0.0/8', '10.0.0.0/31', '::/64']) {
    assert.throws(() => createAddressPool(subnet, '10.0.0.1'), { code: 'invalid-parameter' }, subnet);
  }
  assert.throws(() => createAddressPool('10.0.0.0/24', '10.0.1.1'), /gateway/);
});

test('the address is in the MAC', () => {
  assert.equal(macOfAddress('172.17.0.10'), '02:42:ac:11:00:0a');
});
