import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostnameFile, hostsFile, resolvConf } from '../../../../../vm/agent/network/container-files.ts';

const hosts = {
  hostname: 'web',
  domainname: '',
  addresses: ['172.17.0.2'],
  extraHosts: [],
  hostGateway: '10.0.2.2',
  links: [],
};
const resolv = { dns: [], dnsSearch: [], dnsOptions: [], nameServers: ['172.17.0.1'] };

test('resolv.conf: the given servers replace the default one', () => {
  assert.equal(resolvConf(resolv), 'nameserver 172.17.0.1\n');
  assert.equal(
    resolvConf({
      ...resolv,
      dns: ['9.9.9.9', '2620:fe::fe'],
      dnsSearch: ['a.test', 'b.test'],
      dnsOptions: ['ndots:2'],
    }),
    'nameserver 9.9.9.9\nnameserver 2620:fe::fe\nsearch a.test b.test\noptions ndots:2\n',
  );
  assert.equal(resolvConf({ ...resolv, dnsSearch: ['.'] }), 'nameserver 172.17.0.1\n');
});

test('hosts: own name, domain, extra hosts and host-gateway', () => {
  const text = hostsFile({
    ...hosts,
    domainname: 'example.test',
    extraHosts: ['db:10.1.2.3', 'me:host-gateway', 'six:2001:db8::1', 'six2=[2001:db8::2]'],
  });
  const lines = text.split('\n');
  assert.ok(lines.includes('127.0.0.1\tlocalhost'));
  assert.ok(lines.includes('10.1.2.3\tdb'));
  assert.ok(lines.includes('10.0.2.2\tme'));
  assert.ok(lines.includes('2001:db8::1\tsix'));
  assert.ok(lines.includes('2001:db8::2\tsix2'));
  assert.equal(lines.at(-2), '172.17.0.2\tweb.example.test web');
  assert.equal(lines.at(-1), '');
});

test('hosts: a line for each of its addresses, and one for each linked container', () => {
  const text = hostsFile({
    ...hosts,
    addresses: ['172.17.0.2', '172.18.0.2'],
    links: [{ address: '172.17.0.9', names: ['db', 'abc', 'store'] }],
  });
  assert.ok(text.endsWith('172.17.0.9\tdb abc store\n172.17.0.2\tweb\n172.18.0.2\tweb\n'), text);
});

test('hosts: no line of its own without an address', () => {
  assert.doesNotMatch(hostsFile({ ...hosts, addresses: [] }), /web/);
});

test('nothing given by a client starts another line', () => {
  for (const evil of ['a\n1.2.3.4 bank.test', 'a b', 'x;y', '']) {
    assert.throws(() => hostsFile({ ...hosts, extraHosts: [`${evil}:1.2.3.4`] }), { code: 'invalid-parameter' });
    assert.throws(() => hostnameFile(evil), { code: 'invalid-parameter' });
    if (evil === '') continue;
    assert.throws(() => hostsFile({ ...hosts, hostname: evil }), { code: 'invalid-parameter' });
    assert.throws(() => resolvConf({ ...resolv, dnsSearch: [evil] }), { code: 'invalid-parameter' });
    assert.throws(() => resolvConf({ ...resolv, dns: [evil] }), { code: 'invalid-parameter' });
  }
  assert.throws(() => hostsFile({ ...hosts, extraHosts: ['db:not-an-address'] }), { code: 'invalid-parameter' });
  assert.throws(() => hostsFile({ ...hosts, extraHosts: ['db'] }), { code: 'invalid-parameter' });
});
