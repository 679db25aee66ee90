import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkGateway,
  checkNetworkName,
  checkSubnet,
  checkSubnet6,
} from '../../../../../src-renderer/screens/networks/network-request.ts';

test('names, subnets and gateways are told wrong before the engine is asked', () => {
  for (const name of ['shop', '0', 'a_b.c-d']) assert.equal(checkNetworkName(name), undefined, name);
  for (const name of ['', '-a', 'a b', 'ä', 'a'.repeat(256)]) assert.notEqual(checkNetworkName(name), undefined, name);
  for (const subnet of ['', '10.0.0.0/8', '192.168.250.4/30']) assert.equal(checkSubnet(subnet), undefined, subnet);
  for (const subnet of [
    '10.0.0.0',
    '10.0.0/8',
    '256.0.0.0/8',
    '10.0.0.0/31',
    '10.0.0.0/0',
    'fd00::/64',
    '010.0.0.0/8',
  ]) {
    assert.notEqual(checkSubnet(subnet), undefined, subnet);
  }
  assert.equal(checkGateway('', ''), undefined);
  assert.equal(checkGateway('10.0.0.1', '10.0.0.0/8'), undefined);
  assert.match(checkGateway('10.0.0.1', '') ?? '', /needs a subnet/);
  assert.match(checkGateway('10.0.0', '10.0.0.0/8') ?? '', /looks like/);
});

test('so are IPv6 subnets', () => {
  for (const subnet of ['', 'fd00::/64', 'FD00:77::/48', 'fd00::172.16.0.0/112']) {
    assert.equal(checkSubnet6(subnet), undefined, subnet);
  }
  for (const subnet of [
    '10.0.0.0/8',
    'fd00::',
    'fd00::/7',
    'fd00::/127',
    'fd00:::/64',
    'fd00::g/64',
    'fe80::1%eth0/64',
  ]) {
    assert.notEqual(checkSubnet6(subnet), undefined, subnet);
  }
});
