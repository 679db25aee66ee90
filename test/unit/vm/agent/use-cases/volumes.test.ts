/** Volumes: options of the local driver, subpaths, use by containers, prune. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Filters } from '../../../../../vm/agent/filters.ts';
import { killContainer } from '../../../../../vm/agent/use-cases/kill-container.ts';
import {
  createVolume,
  inspectVolume,
  pruneVolumes,
  removeVolume,
  volumePruneFilterNames,
} from '../../../../../vm/agent/use-cases/manage-volumes.ts';
import { openBeneath } from '../../../../../vm/agent/use-cases/open-beneath.ts';
import { removeContainer } from '../../../../../vm/agent/use-cases/remove-container.ts';
import { startContainer } from '../../../../../vm/agent/use-cases/start-container.ts';
import { updateContainer } from '../../../../../vm/agent/use-cases/update-container.ts';
import { makeEngine } from '../../../../helpers/engine-parts.ts';
import type { TestEngine } from '../../../../helpers/engine-parts.ts';

const skip = process.getuid?.() === 0 ? false : 'files are given to the container’s root, which needs root';
const memory = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' };

function create(engine: TestEngine, name: string, options: Record<string, string>): Promise<object> {
  return createVolume(engine.parts, { name, driver: '', labels: {}, options });
}

function prune(engine: TestEngine, filters: object): Promise<object> {
  const program = { folderBytes: (folder: string) => Promise.resolve(path.basename(path.dirname(folder)).length) };
  return pruneVolumes(engine.parts, program, Filters.parse(JSON.stringify(filters), volumePruneFilterNames), false);
}

test('options are checked in Docker’s words and shown', async (t) => {
  const engine = await makeEngine(t);
  const refused = (options: Record<string, string>, message: string) =>
    assert.rejects(create(engine, 'vol', options), { code: 'invalid-parameter', message: `create vol: ${message}` });
  await refused({ colour: 'blue' }, 'invalid option: "colour"');
  await refused({ device: '/x' }, 'missing required option: "type"');
  await refused({ type: 'none' }, 'missing required option: "device"');
  await refused({ o: 'bind' }, 'missing required option: "device"');
  await refused({ size: '1g' }, 'quota size requested but no quota support');
  await create(engine, 'vol', memory);
  assert.deepEqual((inspectVolume(engine.parts, 'vol') as { Options: unknown }).Options, memory);
  await create(engine, 'plain', {});
  assert.equal((inspectVolume(engine.parts, 'plain') as { Options: unknown }).Options, null);
});

test('mounted with the first container that runs, unmounted after the last', { skip }, async (t) => {
  const engine = await makeEngine(t);
  await create(engine, 'mem', memory);
  const one = await engine.create('one', { HostConfig: { Binds: ['mem:/x:nocopy'] } });
  const two = await engine.create('two', { HostConfig: { Binds: ['mem:/y:nocopy'] } });
  assert.equal(engine.mounted.size, 0);
  await startContainer(engine.parts, one);
  await startContainer(engine.parts, two);
  assert.deepEqual([...engine.mounted.values()], [{ type: 'tmpfs', device: 'tmpfs', options: 'size=1m' }]);
  await killContainer(engine.parts, one, 'KILL');
  assert.equal(engine.mounted.size, 1);
  await killContainer(engine.parts, two, 'KILL');
  assert.equal(engine.mounted.size, 0);
  await assert.rejects(removeVolume(engine.parts, 'mem', false), {
    code: 'conflict',
    message: /volume is in use - \[/,
  });
  engine.network.failure = new Error('no network');
  await assert.rejects(startContainer(engine.parts, one));
  assert.equal(engine.mounted.size, 0, 'a failed start leaves nothing mounted');
});

test('mounts: propagation and subpaths are checked, drivers must be there', async (t) => {
  const engine = await makeEngine(t);
  const mount = (given: object) => engine.create('mounting', { HostConfig: { Mounts: [given] } });
  const volume = { Type: 'volume', Source: 'vol', Target: '/x' };
  const refused = (given: object, message: RegExp) => assert.rejects(mount(given), { message });
  await refused(
    { Type: 'bind', Source: '/', Target: '/x', BindOptions: { Propagation: 'up' } },
    /invalid propagation mode: up/,
  );
  for (const Subpath of ['/abs', '../out', 'a/../../b']) {
    await refused({ ...volume, VolumeOptions: { Subpath } }, /subpath must be a relative path within the volume/);
  }
  await refused(
    { ...volume, Source: '', VolumeOptions: { Subpath: 'a' } },
    /must not set Subpath when using anonymous volumes/,
  );
  await refused({ ...volume, VolumeOptions: { DriverConfig: { Name: 'rexray' } } }, /plugin "rexray" not found/);
  const id = await mount({ ...volume, VolumeOptions: { Subpath: 'a/b', DriverConfig: { Options: memory } } });
  assert.equal(engine.parts.store.find(id).mounts[0]?.Subpath, 'a/b');
  assert.deepEqual(engine.parts.volumes.find('vol').options, memory);
});

test('a path beneath a folder: links are not followed', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-beneath-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(`${folder}/in/deep`, { recursive: true });
  await writeFile(`${folder}/in/deep/file`, 'here');
  await symlink('/etc', `${folder}/in/out`);
  const handle = await openBeneath(folder, 'in/./deep//file');
  assert.equal(await readFile(`/proc/self/fd/${handle.fd}`, 'utf8'), 'here');
  await handle.close();
  for (const bad of ['in/out', 'in/out/passwd', 'in/deep/file/more', 'nothing']) {
    await assert.rejects(openBeneath(folder, bad), { code: /^(ELOOP|ENOTDIR|ENOENT)$/ }, bad);
  }
});

test('prune takes anonymous ones; all of them when asked; other filters are refused', async (t) => {
  const engine = await makeEngine(t);
  await create(engine, 'named', {});
  await create(engine, '', {});
  await assert.rejects(async () => prune(engine, { dangling: ['true'] }), { message: "Invalid filter 'dangling'" });
  assert.equal(((await prune(engine, {})) as { VolumesDeleted: string[] }).VolumesDeleted.length, 1);
  assert.deepEqual(await prune(engine, { all: ['true'] }), { VolumesDeleted: ['named'], SpaceReclaimed: 5 });
});

test('a start by hand lets the restart policy count anew; updates that cannot be are refused', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('svc', {
    HostConfig: { Memory: 64e6, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
  });
  engine.parts.store.update(id, { restartCount: 2 });
  await startContainer(engine.parts, id);
  assert.equal(engine.parts.store.find(id).restartCount, 0);
  engine.parts.store.update(id, { hostConfig: { ...engine.parts.store.find(id).hostConfig, MemorySwap: 128e6 } });
  await assert.rejects(updateContainer(engine.parts, id, { Memory: 256e6 }), /update the memoryswap at the same time/);
  await removeContainer(engine.parts, id, { force: true });
  const gone = await engine.create('gone', { HostConfig: { AutoRemove: true } });
  const RestartPolicy = { Name: 'always', MaximumRetryCount: 0 };
  await assert.rejects(updateContainer(engine.parts, gone, { RestartPolicy }), /AutoRemove is enabled/);
});

test('which container mounts a volume, where and how, is told, and when it no longer does', { skip }, async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('user', {
    HostConfig: { Binds: ['one:/one:ro,nocopy', 'two:/two:nocopy', '/etc:/etc'] },
  });
  await startContainer(engine.parts, id);
  engine.runtime.created[0]?.finish({ exitCode: 0 });
  while (engine.parts.store.find(id).state.status === 'running') await new Promise(setImmediate);
  const told = engine.events.filter(({ Action }) => ['mount', 'unmount', 'start', 'die'].includes(Action));
  assert.deepEqual(
    told.map(({ Action, Actor }) => `${Action} ${Actor.ID === id ? '' : Actor.ID}`.trimEnd()),
    ['mount one', 'mount two', 'start', 'die', 'unmount one', 'unmount two'],
  );
  assert.deepEqual(told[0]?.Actor.Attributes, {
    ...{ container: id, driver: 'local', destination: '/one', propagation: '' },
    'read/write': 'false',
  });
  assert.deepEqual(told.at(-1)?.Actor.Attributes, { container: id, driver: 'local' });
});

test('one that a container brings and takes with it is told as one that a user makes and removes', async (t) => {
  const engine = await makeEngine(t);
  await create(engine, 'own', {});
  await create(engine, 'own', {});
  const id = await engine.create('user', {
    HostConfig: { Binds: ['own:/own', 'brought:/b'] },
    Volumes: { '/unnamed': {} },
  });
  const { Name: unnamed = '' } =
    engine.parts.store.find(id).mounts.find(({ Destination }) => Destination === '/unnamed') ?? {};
  await removeContainer(engine.parts, id, { volumes: true });
  await removeVolume(engine.parts, 'brought', false);
  const told = engine.events
    .filter(({ Type }) => Type === 'volume')
    .map(({ Action, Actor }) => `${Action} ${Actor.ID}`);
  assert.deepEqual(
    told.sort(),
    ['create brought', `create ${unnamed}`, 'create own', 'destroy brought', `destroy ${unnamed}`].sort(),
  );
});
