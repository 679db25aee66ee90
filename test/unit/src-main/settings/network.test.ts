import assert from 'node:assert/strict';
import { rootCertificates } from 'node:tls';
import { test } from 'node:test';
import { defaultNetwork, type NetworkSettings } from '../../../../src-main/contract/vm.ts';
import { checkNetwork } from '../../../../src-main/settings/network.ts';
import { defaultSettings, readSettings } from '../../../../src-main/settings/schema.ts';
import { proxyOf } from '../../../../src-main/vm/seed.ts';

const host = { cores: 8, memoryMiB: 16_384 };
const [certificate = ''] = rootCertificates;
const check = (values: Partial<NetworkSettings>) => checkNetwork({ ...defaultNetwork, ...values });

test('what is typed is kept in one form', () => {
  assert.deepEqual(check({}), defaultNetwork);
  const network = check({
    proxy: 'manual',
    httpProxy: ' proxy.example:3128 ',
    httpsProxy: 'http://Proxy.example:3128/',
    noProxy: ' localhost,.example ',
    insecureRegistries: ['http://R.example:5000/', 'r.example:5000', '10.0.0.7'],
    registryMirrors: ['https://mirror.example'],
    addressPools: [' 10.10.3.4/16:24', '192.168.64.0/18:/26'],
    certificates: `# mine\n${certificate}\n\n${certificate}`,
  });
  assert.deepEqual(network, {
    proxy: 'manual',
    httpProxy: 'http://proxy.example:3128',
    httpsProxy: 'http://proxy.example:3128',
    noProxy: 'localhost,.example',
    insecureRegistries: ['r.example:5000', '10.0.0.7'],
    registryMirrors: ['mirror.example'],
    addressPools: ['10.10.0.0/16:24', '192.168.64.0/18:26'],
    certificates: `${certificate}\n${certificate}\n`,
  });
});

for (const [values, message] of [
  [{ proxy: 'manual' }, /network\.proxy: with manual an address is needed/],
  [{ httpProxy: 'socks5://p.example:1' }, /network\.httpProxy: this is no address of a proxy/],
  [{ httpsProxy: 'http://p.example/x' }, /network\.httpsProxy: this is no address/],
  [{ httpProxy: 'http://sam:oars@p.example:1' }, /network\.httpProxy: the address holds a user or password/],
  [{ insecureRegistries: ['a b'] }, /network\.insecureRegistries: 'a b' is no name of a registry/],
  [{ registryMirrors: ['m.example/path'] }, /network\.registryMirrors: 'm\.example\/path' is no name/],
  [{ registryMirrors: [''] }, /network\.registryMirrors: '' is no name/],
  [{ registryMirrors: Array.from({ length: 65 }, (_, at) => `m${at}.example`) }, /more than 64/],
  [{ certificates: 'nonsense' }, /certificates in PEM are needed/],
  [{ certificates: certificate.replace('M', 'A').slice(0, 200) + certificate.slice(300) }, /certificate 1 is damaged/],
  [{ certificates: `${certificate}\n-----BEGIN PRIVATE KEY-----\n` }, /and nothing else/],
  [{ addressPools: ['10.10.0.0/16'] }, /network\.addressPools: '10\.10\.0\.0\/16' is no pool of IPv4/],
  [{ addressPools: ['10.10.0.0/16:24:1'] }, /is no pool/],
  [{ addressPools: ['fd00::/16:64'] }, /is no pool/],
  [{ addressPools: ['10.10.0.256/16:24'] }, /is no pool/],
  [{ addressPools: ['10.0.0.0/7:24'] }, /10\.0\.0\.0\/7:24: the pool must be from \/8 to \/30/],
  [{ addressPools: ['10.10.0.0/16:15'] }, /its networks must be from \/16 to \/30/],
  [{ addressPools: ['10.10.0.0/16:31'] }, /its networks must be from \/16 to \/30/],
  [{ addressPools: ['127.0.0.0/16:24'] }, /these addresses are no network's/],
  [{ addressPools: ['224.0.0.0/8:24'] }, /these addresses are no network's/],
  [
    { addressPools: ['10.10.0.0/16:24', '10.10.128.0/17:24'] },
    /10\.10\.128\.0\/17:24 overlaps with 10\.10\.0\.0\/16:24/,
  ],
  [{ addressPools: ['172.17.4.0/22:24'] }, /the engine itself has 172\.17\.0\.0\/16/],
  [{ addressPools: Array.from({ length: 65 }, (_, at) => `10.${at}.0.0/16:24`) }, /more than 64/],
  [{ noProxy: 'ä.example\n' }, /network\.noProxy/],
] as const satisfies readonly (readonly [Partial<NetworkSettings>, RegExp])[]) {
  test(`refused: ${message.source}`, () => {
    assert.throws(() => check(values), { code: 'invalid-input', message });
    // Nor is the password told.
    assert.throws(
      () => check(values),
      (error: Error) => !error.message.includes('oars'),
    );
  });
}

test('a file with something wrong in it, or from before, is read with the defaults', () => {
  const read = (network: unknown) => readSettings(JSON.stringify({ ...defaultSettings(host), network }), host).network;
  assert.deepEqual(read(undefined), defaultNetwork);
  assert.deepEqual(read({ registryMirrors: ['m.example'] }).registryMirrors, ['m.example']);
  assert.deepEqual(read({ registryMirrors: ['m.example'], certificates: 'nonsense' }), defaultNetwork);
});

test('the proxy of the settings comes before, or instead of, the environment’s', () => {
  const env = { http_proxy: 'http://env.example:1', no_proxy: 'x' };
  assert.deepEqual(proxyOf(defaultNetwork, env), { http: 'http://env.example:1', no: 'x' });
  assert.equal(proxyOf({ ...defaultNetwork, proxy: 'none' }, env), undefined);
  const manual = check({ proxy: 'manual', httpsProxy: 'localhost:3128' });
  assert.deepEqual(proxyOf(manual, { ...env, HTTP_PROXY: 'http://upper.example:1' }), {
    https: 'http://10.0.2.2:3128',
  });
});
