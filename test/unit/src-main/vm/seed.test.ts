import assert from 'node:assert/strict';
import { rootCertificates } from 'node:tls';
import { test } from 'node:test';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import tar from 'tar-stream';
import { onlyExtra } from '../../../../src-main/vm/certificates.ts';
import { buildSeed, proxyForGuest, seedEnvironment, type SeedInput } from '../../../../src-main/vm/seed.ts';
import type { Seed } from '../../../../vm/contract/wherry-api.ts';

const input: SeedInput = {
  instanceId: '7a0e8f9a-8f1d-4d7c-9a61-9a1b2c3d4e5f',
  hostname: 'wherry',
  clockMs: 1_795_336_953_011,
  network: 'static',
  hostKey: 'PRIVATE',
  clientPublicLine: 'ssh-ed25519 AAAA wherry-host',
  proxy: undefined,
  certificates: undefined,
  insecureRegistries: [],
  registryMirrors: [],
  addressPools: [],
};

async function entries(disk: Buffer): Promise<Record<string, { content: string; mode: number | undefined }>> {
  const found: Record<string, { content: string; mode: number | undefined }> = {};
  for await (const entry of Readable.from([disk]).pipe(tar.extract())) {
    found[entry.header.name] = { content: await text(entry), mode: entry.header.mode };
  }
  return found;
}

test('the disk is whole sectors of plain ustar, every entry for its owner alone', async () => {
  const disk = await buildSeed({ ...input, certificates: 'PEM' });
  assert.equal(disk.length % 512, 0);
  assert.equal(disk.toString('latin1', 257, 262), 'ustar');
  const found = await entries(disk);
  assert.deepEqual(Object.keys(found), [
    'seed.json',
    'seed.env',
    'ssh_host_ed25519_key',
    'authorized_keys',
    'ca/host.pem',
  ]);
  assert.deepEqual(new Set(Object.values(found).map((entry) => entry.mode)), new Set([0o600]));
  assert.equal(found['authorized_keys']?.content, 'ssh-ed25519 AAAA wherry-host\n');
  const seed = JSON.parse(found['seed.json']?.content ?? '') as Seed;
  assert.equal(seed.instanceId, input.instanceId);
  assert.deepEqual(seed.network, { mode: 'static', address: '10.0.2.15/24', gateway: '10.0.2.2', dns: ['10.0.2.3'] });
  assert.match(found['seed.env']?.content ?? '', /^WHERRY_NET_ADDRESS='10\.0\.2\.15\/24'$/m);
});

test('the seed says which registries are mirrors and which insecure', async () => {
  const found = await entries(
    await buildSeed({ ...input, registryMirrors: ['m.example'], insecureRegistries: ['r.example:5000'] }),
  );
  const { registryMirrors, insecureRegistries } = JSON.parse(found['seed.json']?.content ?? '') as Seed;
  assert.deepEqual([registryMirrors, insecureRegistries], [['m.example'], ['r.example:5000']]);
});

test('the seed says where networks get their subnets from', async () => {
  const found = await entries(await buildSeed({ ...input, addressPools: ['10.10.0.0/16:24', '192.168.64.0/18:26'] }));
  const { addressPools } = JSON.parse(found['seed.json']?.content ?? '') as Seed;
  assert.deepEqual(addressPools, [
    { base: '10.10.0.0/16', size: 24 },
    { base: '192.168.64.0/18', size: 26 },
  ]);
});

test('with DHCP the seed names no address', async () => {
  const found = await entries(await buildSeed({ ...input, network: 'dhcp' }));
  assert.match(found['seed.env']?.content ?? '', /^WHERRY_NET_MODE='dhcp'$/m);
  assert.doesNotMatch(found['seed.env']?.content ?? '', /ADDRESS/);
});

test('a quote in a value cannot break out of it', () => {
  const seed = {
    version: 1,
    instanceId: 'i',
    hostname: "it's",
    clockMs: 1,
    hostGateway: 'g',
    network: { mode: 'dhcp' },
  };
  assert.match(seedEnvironment(seed as Seed), /^WHERRY_HOSTNAME='it'\\''s'$/m);
});

test('a proxy on the host’s loopback is reached through the gateway', () => {
  assert.deepEqual(proxyForGuest({ http_proxy: 'http://user:pw@localhost:3128', NO_PROXY: '.local' }), {
    http: 'http://user:pw@10.0.2.2:3128',
    no: '.local',
  });
  assert.deepEqual(proxyForGuest({ HTTPS_PROXY: 'http://127.0.0.1:8080/' }), { https: 'http://10.0.2.2:8080/' });
  assert.deepEqual(proxyForGuest({ https_proxy: 'http://localhost.example.com:1' }), {
    https: 'http://localhost.example.com:1',
  });
  assert.equal(proxyForGuest({ no_proxy: 'x', http_proxy: '' }), undefined);
});

test('only certificates beyond the usual ones are passed on, each once', () => {
  const own = '-----BEGIN CERTIFICATE-----\nMIIBown\n-----END CERTIFICATE-----';
  assert.equal(onlyExtra([rootCertificates[0], own, own].join('\n')), `${own}\n`);
  assert.equal(onlyExtra(rootCertificates.join('\n')), undefined);
  assert.equal(onlyExtra('nothing here'), undefined);
});
