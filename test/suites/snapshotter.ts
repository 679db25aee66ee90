/** What every snapshotter must do; run on real folders, as root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RootFilesystem } from '../../vm/agent/runtime/runtime.ts';
import type { LimitFolder, Snapshotter } from '../../vm/agent/snapshots/snapshotter.ts';
import { UnpackProgram } from '../../vm/agent/snapshots/unpack-program.ts';
import { unpackFile } from '../helpers/image-store.ts';
import { tar } from '../helpers/tar.ts';
import type { TarEntry } from '../helpers/tar.ts';

export interface SnapshotterSuite {
  readonly open: (dataDir: string, program: UnpackProgram, limitFolder: LimitFolder) => Promise<Snapshotter>;
  /** Where the data folders go; a filesystem that overlayfs accepts. */
  readonly base: string;
  readonly skip: string | false;
  /** Whether overlay mounts can be made, to look at a root as a container would. */
  readonly canMount: boolean;
}

const noLimits: LimitFolder = () => Promise.reject(new Error('no limit was asked for'));

export function snapshotterSuite(label: string, suite: SnapshotterSuite): void {
  describe(`snapshotter: ${label}`, { skip: suite.skip }, () => {
    const program = new UnpackProgram(unpackFile);

    async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
      const folder = await mkdtemp(path.join(suite.base, 'wherry-snapshots-'));
      try {
        await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }

    async function add(snapshotter: Snapshotter, folder: string, ...entries: readonly TarEntry[]): Promise<string> {
      const pending = await snapshotter.begin();
      const blob = path.join(folder, `blob-${process.hrtime.bigint()}`);
      const unpack = program.startLayer(
        { ...(pending.root === undefined ? {} : { root: pending.root }), keep: { file: blob, resumeBytes: 0 } },
        new AbortController().signal,
      );
      unpack.input.end(gzipSync(tar(...entries)));
      const { diffId } = await unpack.result;
      await pending.commit(diffId, blob);
      return diffId;
    }

    test('a layer is there once it is committed, and not before', () =>
      withFolder(async (folder) => {
        const snapshotter = await suite.open(folder, program, noLimits);
        const discarded = await snapshotter.begin();
        if (discarded.root !== undefined) writeFileSync(path.join(discarded.root, 'half'), '');
        assert.deepEqual(await snapshotter.layers(), []);
        await discarded.discard();
        const [first, again] = [
          await add(snapshotter, folder, { name: 'a', data: 'a' }),
          await add(snapshotter, folder, { name: 'a', data: 'a' }),
        ];
        assert.equal(first, again);
        assert.deepEqual(await snapshotter.layers(), [first]);
        assert.equal(await snapshotter.hasLayer(first), true);
        await snapshotter.removeLayer(first);
        await snapshotter.removeLayer(first);
        assert.equal(await snapshotter.hasLayer(first), false);
        assert.deepEqual(await snapshotter.layers(), []);
      }));

    test('what an agent that died was unpacking goes at the next start', () =>
      withFolder(async (folder) => {
        const pending = await (await suite.open(folder, program, noLimits)).begin();
        if (pending.root !== undefined) mkdirSync(path.join(pending.root, 'half/way'), { recursive: true });
        const reopened = await suite.open(folder, program, noLimits);
        assert.deepEqual(await reopened.layers(), []);
        if (pending.root !== undefined) assert.equal(existsSync(pending.root), false);
      }));

    test(
      'a root shows its layers, whiteouts carried out, and takes writes',
      { skip: !suite.canMount && 'needs overlay mounts' },
      () =>
        withFolder(async (folder) => {
          const snapshotter = await suite.open(folder, program, noLimits);
          const layers = [
            await add(
              snapshotter,
              folder,
              ...[
                { name: 'kept', data: '1' },
                { name: 'gone', data: '2' },
                { name: 'dir/old', data: '3' },
              ],
              ...[
                { name: 'changed', data: 'old' },
                { name: 'own/', type: '5', uid: 33, gid: 33 },
              ],
            ),
            await add(
              snapshotter,
              folder,
              ...[
                { name: '.wh.gone' },
                { name: 'dir/', type: '5' },
                { name: 'dir/.wh..wh..opq' },
                { name: 'dir/new', data: '4' },
              ],
              ...[{ name: 'changed', data: 'new' }],
            ),
          ];
          const root = await snapshotter.prepareRoot('c1', layers, { ownerId: 0 });
          assert.deepEqual(await snapshotter.prepareRoot('c1', layers, { ownerId: 0 }), root);
          look(folder, root, (top) => {
            assert.deepEqual(readdirSync(top).sort(), ['changed', 'dir', 'kept', 'own']);
            assert.deepEqual(readdirSync(path.join(top, 'dir')), ['new']);
            assert.equal(readFileSync(path.join(top, 'changed'), 'utf8'), 'new');
            assert.equal(statSync(path.join(top, 'own')).uid, 33);
            assert.equal(statSync(top).mode & 0o777, 0o755);
            writeFileSync(path.join(top, 'written'), 'x'.repeat(100));
          });
          assert.ok((await snapshotter.rootSize('c1')) >= 100);
          const second = await snapshotter.prepareRoot('c2', layers, { ownerId: 0 });
          look(folder, second, (top) => assert.equal(existsSync(path.join(top, 'written')), false));
          await snapshotter.removeRoot('c1');
          await snapshotter.removeRoot('c1');
          assert.equal(existsSync(root.upperDir), false);
          assert.ok(existsSync(second.upperDir));
          assert.equal(await snapshotter.rootSize('c1'), 0);
          const tooLate = Object.create(program, {
            folderBytes: {
              value: async (measured: string) => {
                await program.removeFolder(measured);
                return program.folderBytes(measured);
              },
            },
          }) as UnpackProgram;
          assert.equal(
            await (await suite.open(folder, tooLate, noLimits)).rootSize('c2'),
            0,
            'removed while it is measured',
          );
        }),
    );

    test('the writable root belongs to the mapped root', () =>
      withFolder(async (folder) => {
        const snapshotter = await suite.open(folder, program, noLimits);
        const diffId = await add(snapshotter, folder, { name: './', type: '5' }, { name: 'a', data: 'a' });
        const { upperDir } = await snapshotter.prepareRoot('c', [diffId], { ownerId: 165_536 });
        assert.equal(lstatSync(upperDir).uid, 165_536);
      }));

    test('a limit is on whatever is written from the first byte on, and only where it is asked for', () =>
      withFolder(async (folder) => {
        const limited: string[] = [];
        const snapshotter = await suite.open(folder, program, (at, limit) => {
          limited.push(`${readdirSync(at).length} in ${path.relative(folder, at)}: ${JSON.stringify(limit)}`);
          return Promise.resolve();
        });
        const layers = [await add(snapshotter, folder, { name: 'a', data: 'a' })];
        await snapshotter.prepareRoot('free', layers, { ownerId: 0 });
        assert.deepEqual(limited, []);
        const limit = { project: 7, bytes: 4096 };
        const root = await snapshotter.prepareRoot('held', layers, { ownerId: 0, limit });
        const before = limited.splice(0).sort();
        const words = JSON.stringify(limit);
        assert.deepEqual(
          before,
          snapshotter.name === 'overlay'
            ? [`0 in containers/held/upper.new: ${words}`, `0 in containers/held/work: ${words}`]
            : [`0 in containers/held/root.new: ${words}`],
        );
        assert.deepEqual(await snapshotter.prepareRoot('held', layers, { ownerId: 0, limit }), root);
      }));

    test('a root over a layer that is gone is refused', () =>
      withFolder(async (folder) => {
        const snapshotter = await suite.open(folder, program, noLimits);
        await assert.rejects(
          snapshotter.prepareRoot('c', [`sha256:${'0'.repeat(64)}`], { ownerId: 0 }),
          /is missing: pull the image again/,
        );
      }));
  });
}

/** Shows the root as a container would see it. */
function look(folder: string, root: RootFilesystem, use: (top: string) => void): void {
  if (root.lowerDirs.length === 0) {
    use(root.upperDir);
    return;
  }
  const top = path.join(folder, 'merged');
  mkdirSync(top, { recursive: true });
  const options = `lowerdir=${root.lowerDirs.join(':')},upperdir=${root.upperDir},workdir=${root.workDir}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, top]);
  try {
    use(top);
  } finally {
    execFileSync('umount', [top]);
  }
}
