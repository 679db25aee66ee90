import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readRegistryNetwork } from '../../../../vm/agent/images-network.ts';
import { addressPools, registryConfig } from '../../../../vm/agent/use-cases/system-info.ts';

test('the seed says how registries are reached, and docker info repeats it', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-seed-'));
  t.after(() => rm(folder, { recursive: true }));
  assert.deepEqual((await readRegistryNetwork(folder)).mirrors, []);
  const seed = { hostGateway: '10.0.2.2', registryMirrors: ['m.example:5000'], insecureRegistries: ['r.example'] };
  await writeFile(path.join(folder, 'seed.json'), JSON.stringify(seed));
  const network = await readRegistryNetwork(folder);
  assert.deepEqual([network.mirrors, network.insecure], [['m.example:5000'], ['r.example']]);
  assert.deepEqual(registryConfig({ mirrors: ['m.example:5000'], insecureRegistries: ['r.example'] }), {
    IndexConfigs: {
      'docker.io': { Name: 'docker.io', Mirrors: ['https://m.example:5000/'], Secure: true, Official: true },
      'r.example': { Name: 'r.example', Mirrors: [], Secure: false, Official: false },
    },
    InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'],
    Mirrors: ['https://m.example:5000/'],
  });
});

test('docker info tells the address pools that somebody chose', () => {
  assert.deepEqual(addressPools({ addressPools: [] }), {});
  assert.deepEqual(addressPools({ addressPools: [{ base: '10.10.0.0/16', size: 24 }] }), {
    DefaultAddressPools: [{ Base: '10.10.0.0/16', Size: 24 }],
  });
});
