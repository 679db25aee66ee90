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
  assert.throws(() => pool.take('172.18.0.2'), /no configured subnet or ip-range contain the IP address 172/);
  assert.throws(() => pool.take('172.17.255.255'), /no configured subnet or ip-range contain the IP address 172/);
  assert.throws(() => pool.take('x'), { code: 'invalid-parameter' });
});

test('IPv6: what goes along with the IPv4 address, else the lowest free one', () => {
  const pool = createAddressPool('fd00::/64', 'fd00::1');
  assert.deepEqual(
    [pool.take(undefined, 2n), pool.take(undefined, 2n), pool.take()],
    ['fd00::2', 'fd00::3', 'fd00::4'],
  );
  assert.equal(pool.take(undefined, 1n), 'fd00::5', 'the gateway stays the gateway’s');
  assert.equal(pool.take('fd00:0::ffff:0:0:9'), 'fd00::ffff:0:0:9', 'told in one form only');
  assert.throws(() => pool.take('fd00:0:0:0:ffff:0:0:9'), /already in use/);
  assert.equal(pool.take('fd00::ffff:ffff:ffff:ffff'), 'fd00::ffff:ffff:ffff:ffff', 'there is no broadcast');
  assert.throws(() => pool.take('fd00::'), /no configured subnet/);
  assert.throws(() => pool.take('172.18.0.2'), /no configured subnet/);
  pool.release('fd00::2');
  assert.equal(pool.take(), 'fd00::2');
  assert.equal(pool.offsetOf('fd00::1:0'), 65536n);
});

test('IPv6: a range, and its end', () => {
  const pool = createAddressPool('fd00::/64', 'fd00::1', { range: 'fd00::10/126', auxiliary: { nas: 'fd00::12' } });
  assert.equal(pool.take(undefined, 9n), 'fd00::10', 'further than the range goes');
  assert.equal(pool.take(undefined, 3n), 'fd00::13');
  assert.equal(pool.take(), 'fd00::11');
  assert.throws(() => pool.take(), /no available IPv6 addresses/);
  assert.equal(pool.take('fd00::99'), 'fd00::99');
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
