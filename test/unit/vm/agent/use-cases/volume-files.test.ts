/** Volumes' files without a container: listed, read, written; whole volumes cloned, exported and imported. The real program. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import type { VolumeCloneMessage } from '../../../../../vm/contract/wherry-api.ts';
import { UnpackProgram } from '../../../../../vm/agent/snapshots/unpack-program.ts';
import { cloneVolume } from '../../../../../vm/agent/use-cases/clone-volume.ts';
import { createVolume, removeVolume } from '../../../../../vm/agent/use-cases/manage-volumes.ts';
import type { Parts } from '../../../../../vm/agent/use-cases/parts.ts';
import {
  exportVolume,
  importVolume,
  listVolumeFolder,
  readVolumeArchive,
  volumeBytes,
  writeVolumeArchive,
} from '../../../../../vm/agent/use-cases/volume-files.ts';
import { makeEngine } from '../../../../helpers/engine-parts.ts';
import { cannotUnpack, unpackFile } from '../../../../helpers/image-store.ts';
import { tar } from '../../../../helpers/tar.ts';

const program = new UnpackProgram(unpackFile);
const never = new AbortController().signal;

async function make(parts: Parts, name: string, labels: Record<string, string> = {}): Promise<string> {
  await createVolume(parts, { name, driver: '', labels, options: {} });
  return parts.volumes.find(name).mountpoint;
}

/** What is not to change on the way. */
function fill(folder: string): void {
  mkdirSync(path.join(folder, 'sub'));
  writeFileSync(path.join(folder, 'sub', 'one'), 'first');
  linkSync(path.join(folder, 'sub', 'one'), path.join(folder, 'two'));
  symlinkSync('/etc/passwd', path.join(folder, 'away'));
  execFileSync('mkfifo', [path.join(folder, 'pipe')]);
  writeFileSync(path.join(folder, '.wh.plain'), 'no whiteout');
  writeFileSync(path.join(folder, 'holes'), 'x');
  truncateSync(path.join(folder, 'holes'), 50_000_000);
  chownSync(path.join(folder, 'sub', 'one'), 999, 998);
  chmodSync(path.join(folder, 'sub', 'one'), 0o4640);
  utimesSync(path.join(folder, 'sub'), 5, 1_000_000_000);
  chownSync(folder, 70, 70);
  chmodSync(folder, 0o700);
}

function facts(folder: string): unknown {
  const of = (name: string): unknown => {
    const { mode, uid, gid, size, nlink, mtimeMs } = lstatSync(path.join(folder, name));
    const isFolder = (mode & 0o170000) === 0o040000;
    return { name, mode, uid, gid, nlink, size: isFolder ? 0 : size, seconds: Math.floor(mtimeMs / 1000) };
  };
  return ['.', 'sub', 'sub/one', 'two', 'away', 'pipe', '.wh.plain', 'holes'].map(of);
}

async function clone(parts: Parts, from: string, to: string, signal = never): Promise<VolumeCloneMessage[]> {
  const told: VolumeCloneMessage[] = [];
  await cloneVolume(parts, program, { from, to }, signal, (message) => told.push(message));
  return told;
}

describe('a volume’s files', { skip: cannotUnpack }, () => {
  test('are listed, read and written with nobody mounting it; links do not lead out', async (t) => {
    const { parts } = await makeEngine(t);
    const folder = await make(parts, 'vol');
    fill(folder);
    const at = (where: string) => ({ name: 'vol', path: where });
    const { entries, more } = await listVolumeFolder(parts, at('/'), never);
    assert.equal(more, false);
    assert.deepEqual(entries.map((entry) => entry.name).sort(), [
      ...['.wh.plain', 'away', 'holes', 'pipe', 'sub', 'two'],
    ]);
    let content = '';
    await readVolumeArchive(parts, at('/sub/one'), never, async (found, archive) => {
      assert.equal(found.mode, 0o104640);
      content = (await buffer(archive)).subarray(512, 517).toString();
    });
    assert.equal(content, 'first');
    await assert.rejects(
      readVolumeArchive(parts, at('/away/'), never, () => Promise.reject(new Error('it was sent'))),
      { code: 'not-found', message: 'there is no /away/ in the volume vol' },
    );
    const archive = Readable.from([tar({ name: 'new.txt', data: 'put', uid: 7 })]);
    await writeVolumeArchive(parts, at('/sub'), archive, never);
    assert.equal(readFileSync(path.join(folder, 'sub', 'new.txt'), 'utf8'), 'put');
    assert.equal(statSync(path.join(folder, 'sub', 'new.txt')).uid, 7);
    const climbing = Readable.from([tar({ name: '../out', data: 'x' })]);
    await assert.rejects(writeVolumeArchive(parts, at('/'), climbing, never), { code: 'invalid-parameter' });
    await assert.rejects(writeVolumeArchive(parts, at('/two'), Readable.from([]), never), {
      message: '/two in the volume vol is not a folder',
    });
    await assert.rejects(listVolumeFolder(parts, { name: 'none', path: '/' }, never), { code: 'not-found' });
    assert.equal(existsSync(path.join(folder, '..', 'out')), false);
  });

  test('its size is that of its files', async (t) => {
    const { parts } = await makeEngine(t);
    writeFileSync(path.join(await make(parts, 'vol'), 'a'), 'x'.repeat(1234));
    assert.equal(await volumeBytes(parts, program, 'vol'), 1234);
    await assert.rejects(volumeBytes(parts, program, 'none'), { code: 'not-found' });
  });

  test('what its options mount is mounted for the time of a look', async (t) => {
    const engine = await makeEngine(t);
    await createVolume(engine.parts, {
      ...{ name: 'mem', driver: '', labels: {} },
      options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' },
    });
    const looking = listVolumeFolder(engine.parts, { name: 'mem', path: '/' }, never);
    await looking;
    assert.equal(engine.mounted.size, 0);
    const before = engine.parts.files.list.bind(engine.parts.files);
    let during = 0;
    engine.parts.files.list = (...words) => {
      during = engine.mounted.size;
      return before(...words);
    };
    await listVolumeFolder(engine.parts, { name: 'mem', path: '/' }, never);
    assert.deepEqual([during, engine.mounted.size], [1, 0]);
  });
});

describe('a whole volume', { skip: cannotUnpack }, () => {
  test('is cloned with all that files have; the new one is known at once and its own', async (t) => {
    const { parts, events } = await makeEngine(t);
    const folder = await make(parts, 'vol', { team: 'red' });
    fill(folder);
    const told = await clone(parts, 'vol', 'vol-2');
    const done = told.at(-1);
    assert.ok(done?.kind === 'done');
    assert.deepEqual([done.files, done.bytes >= 5 + 11], [6, true]);
    assert.deepEqual(told[0], { kind: 'progress', files: 0, bytes: 0, totalBytes: 50_000_015 });
    const copy = parts.volumes.find('vol-2');
    assert.deepEqual([copy.labels, copy.anonymous], [{ team: 'red' }, false]);
    assert.deepEqual(facts(copy.mountpoint), facts(folder));
    assert.ok(statSync(path.join(copy.mountpoint, 'holes')).blocks * 512 < 1_000_000, 'a hole stays a hole');
    writeFileSync(path.join(copy.mountpoint, 'sub', 'one'), 'changed');
    assert.equal(readFileSync(path.join(folder, 'sub', 'one'), 'utf8'), 'first');
    assert.ok(events.some(({ Type, Action, Actor }) => `${Type} ${Action} ${Actor.ID}` === 'volume create vol-2'));
  });

  test('a clone whose name is taken or wrong is refused before anything is copied', async (t) => {
    const { parts } = await makeEngine(t);
    await make(parts, 'vol');
    await make(parts, 'other');
    await assert.rejects(clone(parts, 'vol', 'other'), { code: 'conflict' });
    await assert.rejects(clone(parts, 'vol', '../up'), { code: 'invalid-parameter' });
    await assert.rejects(clone(parts, 'none', 'new'), { code: 'not-found' });
    assert.deepEqual(
      parts.volumes
        .all()
        .map(({ name }) => name)
        .sort(),
      ['other', 'vol'],
    );
  });

  test('a clone that is cancelled, and what a dead agent was filling, leave nothing', async (t) => {
    const { parts } = await makeEngine(t);
    const folder = await make(parts, 'vol');
    writeFileSync(path.join(folder, 'a'), 'x');
    const stop = new AbortController();
    const copying: Pick<UnpackProgram, 'copyFolder' | 'folderBytes'> = {
      folderBytes: () => Promise.resolve(1),
      copyFolder: (_from, to) => {
        writeFileSync(path.join(to, 'half'), 'x');
        stop.abort(new Error('enough'));
        return Promise.resolve({ files: 1, bytes: 1, sharedBytes: 0 });
      },
    };
    const request = { from: 'vol', to: 'new' };
    await assert.rejects(
      cloneVolume(parts, copying, request, stop.signal, () => undefined),
      /enough/,
    );
    const root = path.resolve(folder, '..', '..');
    assert.deepEqual(readdirSync(root), ['vol']);
    mkdirSync(path.join(root, '.new-1-1', '_data'), { recursive: true });
    await parts.volumes.removeLeftovers();
    assert.deepEqual(readdirSync(root), ['vol']);
  });

  test('is not removed while it is copied, and is afterwards', async (t) => {
    const { parts } = await makeEngine(t);
    await make(parts, 'vol');
    let refused: unknown;
    const copying: Pick<UnpackProgram, 'copyFolder' | 'folderBytes'> = {
      folderBytes: () => Promise.resolve(0),
      copyFolder: async () => {
        refused = await removeVolume(parts, 'vol', false).catch((error: unknown) => error);
        return { files: 0, bytes: 0, sharedBytes: 0 };
      },
    };
    await cloneVolume(parts, copying, { from: 'vol', to: 'new' }, never, () => undefined);
    assert.match((refused as Error).message, /volume is in use - its files are being copied/);
    await removeVolume(parts, 'vol', false);
  });

  test('goes out as an archive and comes back as it was', async (t) => {
    const { parts } = await makeEngine(t);
    const folder = await make(parts, 'vol');
    fill(folder);
    let archive = Buffer.alloc(0);
    await exportVolume(parts, 'vol', never, async (stream) => {
      archive = await buffer(stream);
    });
    await importVolume(parts, program, { name: 'back', archive: Readable.from([archive]) }, never);
    assert.deepEqual(facts(parts.volumes.find('back').mountpoint), facts(folder));
    const taken = importVolume(parts, program, { name: 'back', archive: Readable.from([archive]) }, never);
    await assert.rejects(taken, { code: 'conflict' });
  });

  test('an archive that is cut, is none, or breaks off makes no volume', async (t) => {
    const { parts } = await makeEngine(t);
    await make(parts, 'vol');
    const whole = tar({ name: 'a', data: Buffer.alloc(100_000, 'x') });
    const bring = (archive: Readable, signal = never) => importVolume(parts, program, { name: 'new', archive }, signal);
    await assert.rejects(bring(Readable.from([whole.subarray(0, 5000)])), { code: 'invalid-parameter' });
    await assert.rejects(bring(Readable.from([Buffer.alloc(4000, 'not a tar')])), { code: 'invalid-parameter' });
    const stop = new AbortController();
    const slow = new PassThrough();
    slow.write(whole.subarray(0, 2000));
    const coming = bring(slow, stop.signal);
    setTimeout(() => stop.abort(new Error('gone')), 50);
    await assert.rejects(coming, /gone/);
    assert.deepEqual(
      parts.volumes.all().map(({ name }) => name),
      ['vol'],
    );
    assert.deepEqual(readdirSync(path.resolve(parts.volumes.find('vol').mountpoint, '..', '..')), ['vol']);
  });

  test('two clones of one name at once: one of them is made', async (t) => {
    const { parts } = await makeEngine(t);
    writeFileSync(path.join(await make(parts, 'vol'), 'a'), 'x');
    const ends = await Promise.allSettled([clone(parts, 'vol', 'new'), clone(parts, 'vol', 'new')]);
    assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const { mountpoint } = parts.volumes.find('new');
    assert.deepEqual(readdirSync(mountpoint), ['a']);
    assert.deepEqual(readdirSync(path.resolve(mountpoint, '..', '..')).sort(), ['new', 'vol']);
  });
});
