/** `unpack files` on a stopped container's mounts, for which it takes root. */
import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { FilesError, FilesProgram } from '../../../../../vm/agent/runtime/files-program.ts';
import type { FilesView } from '../../../../../vm/agent/runtime/files-program.ts';
import { cannotUnpack, unpackFile } from '../../../../helpers/image-store.ts';
import { tar } from '../../../../helpers/tar.ts';

const skip = cannotUnpack; // root, which mounting takes too
const never = new AbortController().signal;
const base = 200_000;

interface Lab {
  readonly program: FilesProgram;
  readonly view: FilesView & { kind: 'stopped' };
  readonly folder: string;
}

/** A layer with /etc/x, links to it and out of it; a volume on /data. */
async function lab(t: TestContext): Promise<Lab> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-files-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['layer/etc', 'layer/data', 'upper', 'work', 'volume']) {
    mkdirSync(`${folder}/${name}`, { recursive: true });
  }
  writeFileSync(`${folder}/layer/etc/x`, 'hello');
  writeFileSync(`${folder}/volume/kept`, 'kept');
  chownSync(`${folder}/volume/kept`, 7, 8);
  chownSync(`${folder}/upper`, base, base);
  symlinkSync('/etc/x', `${folder}/layer/link`);
  symlinkSync('link', `${folder}/layer/link-to-link`);
  symlinkSync('../../../../../../etc', `${folder}/layer/out`);
  symlinkSync('/nowhere/at/all', `${folder}/layer/dangling`);
  const bind = { source: `${folder}/volume`, target: '/data', readOnly: false, recursive: true, idmap: true };
  return {
    folder,
    program: new FilesProgram(unpackFile, `${folder}/staging`),
    view: {
      kind: 'stopped',
      rootfs: { lowerDirs: [`${folder}/layer`], upperDir: `${folder}/upper`, workDir: `${folder}/work` },
      binds: [bind],
      readOnly: false,
      ids: { base, size: 65_536 },
    },
  };
}

function kindIs(kind: FilesError['kind']): (error: unknown) => boolean {
  return (error) => error instanceof FilesError && error.kind === kind;
}

/** Names and owners, as GNU tar lists them. */
async function listed(archive: Readable): Promise<string[]> {
  const { execFileSync } = await import('node:child_process');
  const text = execFileSync('tar', ['-tvPf', '-', '--numeric-owner'], { input: await buffer(archive) }).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => line.replace(/^(\S+)\s+(\S+)\s+.*\d\d:\d\d /, '$1 $2 '));
}

describe('files of a stopped container', { skip }, () => {
  test('a folder is listed without what is below: links as they are, mounts with what is in them', async (t) => {
    const { program, view, folder } = await lab(t);
    mkdirSync(`${folder}/layer/etc/deep/deeper`, { recursive: true });
    writeFileSync(`${folder}/layer/etc/"a\\b"\n`, '');
    const list = async (name: string): Promise<string[]> => {
      const { entries, more } = await program.list(view, name, never);
      assert.equal(more, false);
      const words = entries.map((entry) => {
        assert.ok(entry.seconds > 1_600_000_000);
        return `${(entry.mode >> 12).toString(8)} ${entry.name} ${entry.size} ${entry.target}`;
      });
      return words.filter((text) => !text.startsWith('4')).sort();
    };
    assert.deepEqual(await list('/'), [
      '12 dangling 15 /nowhere/at/all',
      '12 link 6 /etc/x',
      '12 link-to-link 4 link',
      '12 out 21 ../../../../../../etc',
    ]);
    assert.deepEqual(await list('/out'), ['10 "a\\b"\n 0 ', '10 x 5 ']);
    assert.deepEqual(await list('/data'), ['10 kept 4 ']);
    assert.deepEqual(
      (await program.list(view, '/etc/deep', never)).entries.map(({ name }) => name),
      ['deeper'],
    );
    await assert.rejects(program.list(view, '/nothing', never), kindIs('not-found'));
    await assert.rejects(program.list(view, '/etc/x', never), kindIs('not-a-directory'));
  });

  test('of a very full folder only so many are told, and that there are more', async (t) => {
    const { program, view, folder } = await lab(t);
    mkdirSync(`${folder}/layer/full`);
    for (let number = 0; number <= 10_000; number += 1) writeFileSync(`${folder}/layer/full/${number}`, '');
    const { entries, more } = await program.list(view, '/full', never);
    assert.deepEqual([entries.length, more], [10_000, true]);
  });

  test('links resolve inside, to their end, and also where nothing is', async (t) => {
    const { program, view } = await lab(t);
    const target = async (name: string): Promise<string> => (await program.stat(view, name, never)).target;
    assert.equal(await target('/link'), '/etc/x');
    assert.equal(await target('/link-to-link'), '/etc/x');
    assert.equal(await target('/out'), '/etc');
    assert.equal(await target('/dangling'), '/nowhere/at/all');
    assert.equal((await program.stat(view, '/out/x', never)).size, 5);
    await assert.rejects(program.stat(view, '/out/passwd', never), kindIs('not-found'));
    await assert.rejects(program.stat(view, '/etc/x/', never), kindIs('not-a-directory'));
  });

  test('archives have the owners that the container sees, volumes included', async (t) => {
    const { program, view } = await lab(t);
    const volume = await program.get(view, '/data', 'data', never);
    assert.deepEqual(await listed(volume.archive), ['drwxr-xr-x 0/0 data/', '-rw-r--r-- 7/8 data/kept']);
    await volume.done;
    const link = await program.get(view, '/link', 'link', never);
    assert.deepEqual(await listed(link.archive), ['lrwxrwxrwx 0/0 link -> /etc/x']);
    const root = await program.get(view, '/', '/', never);
    const names = await listed(root.archive);
    assert.equal(names[0], 'drwxr-xr-x 0/0 /');
    assert.ok(names.includes('-rw-r--r-- 0/0 /etc/x'), names.join('\n'));
    const all = await program.export(view, never);
    assert.ok((await listed(all.archive)).includes('-rw-r--r-- 0/0 etc/x'));
  });

  test('an archive that fits into the pipe is whole, however late it is read', async (t) => {
    const { program, view } = await lab(t);
    const late = await program.get(view, '/link', 'link', never);
    await late.done;
    await new Promise((resolve) => setTimeout(resolve, 50)); // Node throws away what nobody reads at a child's exit
    assert.deepEqual(await listed(late.archive), ['lrwxrwxrwx 0/0 link -> /etc/x']);
  });

  test('what is put there belongs to whom the archive says, shifted; or to the owner given', async (t) => {
    const { program, view, folder } = await lab(t);
    const archive = tar(
      { name: 'sub/', type: '5' },
      { name: 'sub/a', data: 'a', uid: 5, gid: 6 },
      { name: 'sub/b', type: '1', link: 'sub/a' },
    );
    const options = { noReplace: false, owner: undefined };
    await program.put(view, '/out', options, Readable.from([archive]), never);
    const placed = lstatSync(`${folder}/upper/etc/sub/a`);
    assert.deepEqual([placed.uid, placed.gid, placed.nlink], [base + 5, base + 6, 2]);
    await program.put(view, '/data/', { ...options, owner: { uid: 3, gid: 4 } }, Readable.from([archive]), never);
    const inVolume = lstatSync(`${folder}/volume/sub/a`);
    assert.deepEqual([inVolume.uid, inVolume.gid], [3, 4]);
  });

  test('an archive cannot lead out of the container', async (t) => {
    const { program, view, folder } = await lab(t);
    const options = { noReplace: false, owner: undefined };
    const climbing = tar({ name: '../../evil', data: 'x' });
    await assert.rejects(
      program.put(view, '/etc', options, Readable.from([climbing]), never),
      (error: unknown) => error instanceof FilesError && error.kind === 'unsafe',
    );
    const linked = tar({ name: 'way', type: '2', link: folder }, { name: 'way/evil', data: 'x' });
    await program.put(view, '/etc', options, Readable.from([linked]), never).catch(() => undefined);
    assert.equal(existsSync(`${folder}/evil`), false);
  });

  test('folders and files do not replace each other when told so, and nothing is written read-only', async (t) => {
    const { program, view, folder } = await lab(t);
    const careful = { noReplace: true, owner: undefined };
    const folderForFile = tar({ name: 'x/', type: '5' });
    await assert.rejects(
      program.put(view, '/etc', careful, Readable.from([folderForFile]), never),
      (error: unknown) => {
        assert.ok(kindIs('refused')(error));
        assert.equal((error as Error).message, 'cannot overwrite non-directory "/etc/x" with directory "/etc"');
        return true;
      },
    );
    assert.equal(readFileSync(`${folder}/layer/etc/x`, 'utf8'), 'hello');
    const file = (): Readable => Readable.from([tar({ name: 'f', data: 'f' })]);
    await assert.rejects(program.put(view, '/etc/x', careful, file(), never), kindIs('not-a-directory'));
    await assert.rejects(program.put({ ...view, readOnly: true }, '/etc', careful, file(), never), kindIs('read-only'));
    await program.put({ ...view, readOnly: true }, '/data', careful, file(), never);
    assert.equal(await readFile(`${folder}/volume/f`, 'utf8'), 'f');
  });

  test('a client that stops sending and leaves ends it, and no mount stays', async (t) => {
    const { program, view, folder } = await lab(t);
    const leaving = new AbortController();
    const half = new PassThrough();
    half.write(tar({ name: 'big', data: 'x'.repeat(2000) }).subarray(0, 1024));
    const putting = program.put(view, '/etc', { noReplace: false, owner: undefined }, half, leaving.signal);
    setTimeout(() => leaving.abort(new Error('left')), 100);
    await assert.rejects(putting, /left/);
    assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(folder));
  });

  test('killed at any moment of its start, it leaves no process', async (t) => {
    const { program, view, folder } = await lab(t);
    for (let steps = 0; steps < 150; steps += 1) {
      const leaving = new AbortController();
      const looking = program.stat(view, '/etc', leaving.signal);
      // It starts once its folder is made.
      await mkdir(`${folder}/staging`, { recursive: true });
      const atMs = performance.now() + steps * 0.05;
      while (performance.now() < atMs);
      leaving.abort(new Error('left'));
      await looking.catch((error: unknown) => assert.match(String(error), /left/));
    }
    assert.deepEqual(processesOf(folder), []);
  });
});

/** Those that have the text in their arguments. */
function processesOf(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // it has ended
    }
  });
}
