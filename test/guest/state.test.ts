/** State on node:sqlite, which only the guest's Node has. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ContainerStore, containerMigrations } from '../../vm/agent/state/container-store.ts';
import { openDatabase } from '../../vm/agent/state/database.ts';
import { VolumeStore, volumeMigrations } from '../../vm/agent/volumes/volume-store.ts';
import { createContainerBody } from '../../vm/agent/http/create-body.ts';
import type { ContainerRecord } from '../../vm/agent/state/container-record.ts';
import { never } from '../../vm/agent/state/container-record.ts';

function databaseFile(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-state-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'state.db');
}

function record(id: string, name: string): Omit<ContainerRecord, 'idSlot'> {
  const { config, hostConfig } = createContainerBody.parse({ Image: 'x', Cmd: ['true'] });
  return {
    id,
    name,
    createdAt: '2026-01-01T00:00:00Z',
    imageId: 'sha256:1',
    config: { ...config, OnBuild: null },
    hostConfig: { ...hostConfig, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } },
    endpoints: {},
    mounts: [],
    state: { status: 'created', pid: 0, exitCode: 0, error: '', oomKilled: false, startedAt: never, finishedAt: never },
    restartCount: 0,
    manuallyStopped: false,
  };
}

test('what was recorded is there when the file is opened again', (t) => {
  const file = databaseFile(t);
  const migrations = [...containerMigrations, ...volumeMigrations];
  let database = openDatabase(file, migrations);
  let store = new ContainerStore(database);
  store.add(record('a1', 'one'), { wantsIdRange: true });
  store.add(record('b2', 'two'), { wantsIdRange: true });
  store.add(record('c3', 'host'), { wantsIdRange: false });
  store.update('a1', { name: 'renamed' });
  store.remove('b2');
  database.close();
  database = openDatabase(file, migrations);
  store = new ContainerStore(database);
  assert.deepEqual(
    store.all().map(({ id, name, idSlot }) => [id, name, idSlot]),
    [
      ['a1', 'renamed', 0],
      ['c3', 'host', undefined],
    ],
  );
  assert.equal(store.add(record('d4', 'two'), { wantsIdRange: true }).idSlot, 1);
  assert.throws(() => store.add(record('e5', 'two'), { wantsIdRange: true }), { code: 'conflict' });
  assert.equal(store.find('d').name, 'two');
  database.close();
});

test('volumes are remembered with what they are', async (t) => {
  const file = databaseFile(t);
  const root = path.join(path.dirname(file), 'volumes');
  const database = openDatabase(file, volumeMigrations);
  const volumes = new VolumeStore(database, root, () => Promise.resolve());
  await volumes.ensure('named', { a: 'b' }, { type: 'tmpfs', device: 'tmpfs' });
  const { name } = await volumes.ensure(undefined);
  const again = new VolumeStore(database, root, () => Promise.resolve());
  assert.deepEqual(again.find('named').labels, { a: 'b' });
  assert.deepEqual(again.find('named').options, { type: 'tmpfs', device: 'tmpfs' });
  assert.equal(again.find(name).anonymous, true);
  await again.removeAnonymous('named', () => []);
  await again.removeAnonymous(name, () => []);
  assert.deepEqual(
    new VolumeStore(database, root, () => Promise.resolve()).all().map((volume) => volume.name),
    ['named'],
  );
  database.close();
});

test('a transaction that throws leaves nothing; a newer state is refused', (t) => {
  const file = databaseFile(t);
  const database = openDatabase(file, [{ name: 'first', sql: 'CREATE TABLE thing (name TEXT) STRICT' }]);
  assert.throws(
    () =>
      database.transaction(() => {
        database.run('INSERT INTO thing VALUES (?)', 'x');
        throw new Error('no');
      }),
    /^Error: no$/,
  );
  assert.deepEqual(database.all('SELECT * FROM thing'), []);
  database.close();
  assert.throws(() => openDatabase(file, []), /the state was written by a newer Wherry \(first\)/);
});
