/** The image store on the guest's own disk (XFS), with SQLite and real overlay mounts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { guestPaths } from '../../vm/contract/wherry-api.ts';
import { OverlaySnapshotter } from '../../vm/agent/snapshots/overlay.ts';
import { VfsSnapshotter } from '../../vm/agent/snapshots/vfs.ts';
import { openDatabase } from '../../vm/agent/state/database.ts';
import { imageMigrations, SqliteImageRecords } from '../../vm/agent/state/images.ts';
import { imageLayers, layerFolder } from '../../vm/agent/use-cases/image-layers.ts';
import { assertStored, leftovers, openTestStore } from '../helpers/image-store.ts';
import { startScriptedRegistry } from '../helpers/scripted-registry.ts';
import { imageRecordsSuite } from '../suites/image-records.ts';
import { snapshotterSuite } from '../suites/snapshotter.ts';

const folder = mkdtempSync(path.join(guestPaths.data, 'test-images-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let databases = 0;
const openRecords = (): SqliteImageRecords => {
  databases += 1;
  return new SqliteImageRecords(openDatabase(path.join(folder, `records-${databases}.db`), imageMigrations));
};

imageRecordsSuite('SQLite', openRecords);
const here = { base: folder, skip: false, canMount: true } as const;
snapshotterSuite('overlay on XFS', { ...here, open: OverlaySnapshotter.open.bind(OverlaySnapshotter) });
snapshotterSuite('vfs on XFS', { ...here, open: VfsSnapshotter.open.bind(VfsSnapshotter) });

describe('pulling in the guest', () => {
  test('an image is pulled, recorded in SQLite and verified', async () => {
    await using registry = await startScriptedRegistry();
    await using store = await openTestStore({ folder: path.join(folder, 'pull'), records: openRecords() });
    const image = registry.addImage('x:1', [[{ name: 'a', data: randomBytes(300_000) }], [{ name: '.wh.a' }]]);
    await store.pull(`${registry.host}/x:1`);
    assertStored(store, image);
    const reopened = await store.reopen();
    assertStored(reopened, image);
    for (const { digest } of image.layers) assert.equal(await reopened.parts.blobs.verify(digest), true);
  });

  test('what its layers hold is read from the disk, whiteouts and opaque folders too', async () => {
    await using registry = await startScriptedRegistry();
    await using store = await openTestStore({ folder: path.join(folder, 'compare'), records: openRecords() });
    const never = new AbortController().signal;
    registry.addImage('x:1', [
      [
        { name: 'a/gone', data: randomBytes(300) },
        { name: 'b/old', data: randomBytes(4000) },
        { name: 'c', data: '12' },
      ],
      [{ name: 'a/.wh.gone' }, { name: 'b/.wh..wh..opq' }, { name: 'b/new', data: '1' }, { name: 'c', data: '123' }],
    ]);
    await store.pull(`${registry.host}/x:1`);
    const { layers, wasted } = await imageLayers(store.parts, `${registry.host}/x:1`, never);
    assert.deepEqual(layers[1], { added: 1, modified: 1, deleted: 2, sizeBytes: 4, deletedBytes: 4300 });
    assert.deepEqual([wasted.files, wasted.sizeBytes, wasted.largest[0]?.path], [3, 4302, 'b/old']);
    const below = await layerFolder(store.parts, `${registry.host}/x:1`, { layer: 1, path: '/b' }, never);
    assert.deepEqual(below.entries.map(({ name, change }) => `${name} ${change}`).sort(), ['new added', 'old deleted']);
  });

  test('a disk that fills up during a pull is named, and what was half done gives its space back', async () => {
    const disk = path.join(folder, 'small');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
    try {
      await using registry = await startScriptedRegistry();
      await using store = await openTestStore({ folder: disk });
      const kept = registry.addImage('small:1', [[{ name: 'a', data: 'fits' }]]);
      registry.addImage('big:1', [
        [{ name: 'a', data: randomBytes(1_000_000) }],
        [{ name: 'b', data: randomBytes(4_000_000) }],
      ]);
      await store.pull(`${registry.host}/small:1`);
      await assert.rejects(store.pull(`${registry.host}/big:1`), (error: unknown) => {
        assert.match((error as Error).message, /failed to register layer: .*no space left on device/);
        assert.match((error as { hint?: string }).hint ?? '', /larger disk/);
        return true;
      });
      assertStored(store, kept);
      assert.deepEqual(leftovers(store), []);
      assert.equal(store.parts.records.all().length, 1);
      const reopened = await store.reopen();
      assert.equal((await reopened.parts.snapshotter.layers()).length, readdirSync(path.join(disk, 'layers')).length);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
