import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  commitSaved,
  dropSaved,
  markDisk,
  mismatch,
  partialState,
  readSaved,
  type SavedRecord,
} from '../../../../src-main/vm/saved-state.ts';

const disk = { sizeBytes: '1', inode: '2', modifiedNs: '3', changedNs: '4' };
const binding = { backend: 'qemu', imageId: 'i', fingerprint: 'f', disk } as const;

async function setUp(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-saved-'));
  t.after(() => rm(folder, { recursive: true }));
  const places = {
    savedState: path.join(folder, 'sleep.state'),
    savedRecord: path.join(folder, 'sleep.json'),
    dataDisk: path.join(folder, 'data'),
  };
  await writeFile(places.dataDisk, 'disk');
  return { folder, places };
}

test('any part that differs is named, and forbids the state', () => {
  assert.equal(mismatch(binding, binding), undefined);
  assert.match(mismatch(binding, { ...binding, backend: 'hyperv' }) ?? '', /saved by qemu, not hyperv/);
  assert.match(mismatch(binding, { ...binding, imageId: 'j' }) ?? '', /system image/);
  assert.match(mismatch(binding, { ...binding, fingerprint: 'g' }) ?? '', /program, its arguments or this computer/);
  for (const part of Object.keys(disk)) {
    assert.match(mismatch(binding, { ...binding, disk: { ...disk, [part]: '9' } }) ?? '', /data disk/, part);
  }
});

test('a disk is another one after a write, as a copy, and when its times were put back', async (t) => {
  const { places } = await setUp(t);
  const file = places.dataDisk;
  const before = await markDisk(file);
  assert.deepEqual(await markDisk(file), before);
  const { atime, mtime } = await stat(file);
  await writeFile(file, 'risk');
  await utimes(file, atime, mtime);
  assert.notDeepEqual(await markDisk(file), before);
  const now = await markDisk(file);
  await copyFile(file, `${file}.copy`);
  await rename(`${file}.copy`, file);
  assert.notDeepEqual(await markDisk(file), now);
});

test('a state counts from its commit until it is dropped, and then leaves nothing', async (t) => {
  const { folder, places } = await setUp(t);
  const state = { path: partialState(places), sizeBytes: 6, checksum: 7 };
  const record: SavedRecord = {
    ...{ version: 1, ...binding, accelerator: 'kvm', cpus: 2, memoryMiB: 1024 },
    ...{ state: { sizeBytes: 6, checksum: 7 }, savedAtMs: 1 },
  };
  await writeFile(state.path, 'memory');
  assert.equal(await readSaved(places), undefined);
  await commitSaved(places, state, record);
  assert.deepEqual(await readSaved(places), record);
  await writeFile(places.savedState, 'memo');
  assert.equal(await readSaved(places), undefined, 'a state that was cut');
  await writeFile(partialState(places), 'half of the next');
  await dropSaved(places);
  assert.deepEqual(await readdir(folder), ['data']);
  await dropSaved(places);
});
