/** Options that the engine has not: refused, told or merely kept, through the route that clients use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveEngine } from '../../../../helpers/engine-server.ts';

test('what cannot be had is refused in Docker’s words, and nothing is created', async (t) => {
  const server = await serveEngine(t);
  const create = (HostConfig: unknown) =>
    server.ask('POST', '/containers/create', { Image: 'img', Cmd: ['x'], HostConfig });
  const gpu = { Driver: '', Count: -1, Capabilities: [['gpu']] };
  for (const [hostConfig, words] of [
    [
      { DeviceRequests: [gpu] },
      'could not select device driver "" with capabilities: [[gpu]]: the VM has no such device',
    ],
    [{ StorageOpt: { size: 'much' } }, "invalid size: 'much'"],
    [{ StorageOpt: { volume: '1G' } }, 'Unknown option volume'],
    [{ Runtime: 'kata' }, 'Unknown runtime specified kata'],
    [{ Isolation: 'hyperv' }, 'Invalid isolation: "hyperv" - linux only supports \'default\''],
    [{ VolumeDriver: 'rex' }, 'error looking up volume plugin rex: plugin "rex" not found'],
    [{ CgroupParent: '/x' }, /^cgroup parents are not supported/],
    [{ CpuRealtimeRuntime: 5 }, 'Your kernel does not support CPU real-time scheduler'],
    [{ StorageOpt: 'big' }, /^invalid JSON: HostConfig.StorageOpt/],
  ] as const) {
    const answer = await create(hostConfig);
    assert.equal(answer.status, 400, answer.body);
    const { message } = JSON.parse(answer.body) as { message: string };
    if (typeof words === 'string') assert.equal(message, words);
    else assert.match(message, words);
  }
  assert.deepEqual(server.engine.parts.store.all(), []);
});

test('mere wishes of the kernel are dropped, and that is told', async (t) => {
  const server = await serveEngine(t);
  const HostConfig = {
    ...{ Runtime: 'runc', Isolation: 'default', VolumeDriver: 'local', DeviceRequests: null, StorageOpt: null },
    ...{ OomKillDisable: true, MemorySwappiness: 0, BlkioWeightDevice: [{ Path: '/dev/vda', Weight: 100 }] },
  };
  const answer = await server.ask('POST', '/containers/create', { Image: 'img', Cmd: ['x'], HostConfig });
  assert.equal(answer.status, 201, answer.body);
  const { Warnings } = JSON.parse(answer.body) as { Warnings: string[] };
  assert.equal(Warnings.length, 3);
  for (const warning of Warnings) assert.match(warning, /iscarded\.$/);
  const plain = { OomKillDisable: false, MemorySwappiness: -1, BlkioWeightDevice: [] };
  const quiet = await server.ask('POST', '/containers/create', { Image: 'img', Cmd: ['x'], HostConfig: plain });
  assert.deepEqual((JSON.parse(quiet.body) as { Warnings: string[] }).Warnings, []);
});

test('annotations are kept and shown', async (t) => {
  const server = await serveEngine(t);
  const HostConfig = { Annotations: { 'org.example.owner': 'me' } };
  await server.ask('POST', '/containers/create?name=noted', { Image: 'img', Cmd: ['x'], HostConfig });
  const { body } = await server.ask('GET', '/containers/noted/json');
  const shown = JSON.parse(body) as { HostConfig: { Annotations?: object } };
  assert.deepEqual(shown.HostConfig.Annotations, HostConfig.Annotations);
});
