/** The packing half of native/unpack: real files, read back by the system's tar and by the unpacking half. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { lstatSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { tar } from '../../helpers/tar.ts';
import { UnpackProgram } from '../../../vm/agent/snapshots/unpack-program.ts';
import type { PackSource } from '../../../vm/agent/snapshots/unpack-program.ts';
import { cannotUnpack, unpackFile } from '../../helpers/image-store.ts';

const program = new UnpackProgram(unpackFile);
const never = new AbortController().signal;

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'wherry-pack-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** `tar tv` of what is packed, one entry a line: mode, owner, name. */
async function listing(t: TestContext, from: PackSource): Promise<string[]> {
  const file = path.join(await folder(t), 'archive');
  await program.packLayer(from, { keep: { file, resumeBytes: 0 } }, never);
  const listed = execFileSync('tar', ['--numeric-owner', '-tvf', file], { encoding: 'utf8' });
  return listed
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^(\S+) +(\S+) +.*? \d\d:\d\d(:\d\d)? /, '$1 $2 '));
}

describe('pack', { skip: cannotUnpack }, () => {
  test('files, folders, links and owners, in the order of their names', async (t) => {
    const source = await folder(t);
    mkdirSync(path.join(source, 'b'), { mode: 0o750 });
    writeFileSync(path.join(source, 'b', 'two'), 'two', { mode: 0o4755 });
    writeFileSync(path.join(source, 'a'), 'one', { mode: 0o600 });
    linkSync(path.join(source, 'a'), path.join(source, 'c'));
    symlinkSync('a', path.join(source, 'z'));
    execFileSync('mkfifo', ['-m', '640', path.join(source, 'p')]);
    chownSync(path.join(source, 'a'), 200_007, 200_008);
    chownSync(path.join(source, 'b', 'two'), 5, 200_000);
    execFileSync('chmod', ['4755', path.join(source, 'b', 'two')]);
    const listed = await listing(t, { source, unshift: 200_000 });
    assert.deepEqual(listed, [
      '-rw------- 7/8 a',
      'drwxr-x--- 65534/65534 b/',
      '-rwsr-xr-x 65534/0 b/two',
      'h--------- 0/0 c link to a',
      'prw-r----- 65534/65534 p',
      'lrwxrwxrwx 65534/65534 z -> a',
    ]);
  });

  test('a name, an owner, a mode of the caller; what is skipped; one file', async (t) => {
    const source = await folder(t);
    mkdirSync(path.join(source, 'kept'));
    mkdirSync(path.join(source, 'left'));
    writeFileSync(path.join(source, 'left', 'x'), '');
    writeFileSync(path.join(source, 'kept', 'y'), '');
    const owner = { uid: 3_000_000, gid: 4 };
    assert.deepEqual(await listing(t, { source, as: 'opt/app', owner, mode: 0o644, skip: ['opt/app/left'] }), [
      'drw-r--r-- 3000000/4 opt/app/',
      'drw-r--r-- 3000000/4 opt/app/kept/',
      '-rw-r--r-- 3000000/4 opt/app/kept/y',
    ]);
    assert.deepEqual(await listing(t, { source: path.join(source, 'kept', 'y'), as: 'n', owner, mode: 0o600 }), [
      '-rw------- 3000000/4 n',
    ]);
  });

  test('the same files give the same archive, whatever their times; other content another', async (t) => {
    const [one, other] = [await folder(t), await folder(t)];
    for (const [index, source] of [one, other].entries()) {
      mkdirSync(path.join(source, 'd'));
      for (const name of index === 0 ? ['1', '2', '3'] : ['3', '1', '2'])
        writeFileSync(path.join(source, 'd', name), name);
      utimesSync(path.join(source, 'd', '1'), 5, 1_000_000_000 + index);
    }
    const digest = async (from: PackSource): Promise<string> => (await program.packLayer(from, {}, never)).diffId;
    assert.equal(await digest({ source: one, maxTime: 1000 }), await digest({ source: other, maxTime: 1000 }));
    assert.notEqual(await digest({ source: one }), await digest({ source: other }));
    const compressed = await program.packLayer({ source: one, maxTime: 1000, gzip: true }, {}, never);
    assert.equal(compressed.diffId, await digest({ source: one, maxTime: 1000 }));
    assert.notEqual(compressed.digest, compressed.diffId);
    writeFileSync(path.join(other, 'd', '2'), 'z');
    assert.notEqual(await digest({ source: one, maxTime: 1000 }), await digest({ source: other, maxTime: 1000 }));
  });

  test('whiteouts and opaque folders of an overlay, there and back', async (t) => {
    const [upper, root] = [await folder(t), await folder(t)];
    const layer = tar(
      { name: 'etc/', type: '5' },
      { name: 'etc/.wh.gone' },
      { name: 'new/', type: '5' },
      { name: 'new/.wh..wh..opq' },
      { name: 'new/ping', data: 'x', pax: { 'SCHILY.xattr.user.wherry': 'kept' } },
    );
    const unpacking = program.startLayer({ root: upper }, never);
    unpacking.input.end(layer);
    await unpacking.result;
    assert.ok(lstatSync(path.join(upper, 'etc', 'gone')).isCharacterDevice());
    const marks = ['etc/', 'etc/.wh.gone', 'new/', 'new/.wh..wh..opq', 'new/ping'];
    const namesOf = async (source: string): Promise<string[]> =>
      (await listing(t, { source, overlay: true })).map((line) => line.split(' ').at(-1) ?? '');
    assert.deepEqual(await namesOf(upper), marks);
    await program.packLayer({ source: upper, overlay: true, gzip: true }, { root }, never);
    assert.deepEqual(await namesOf(root), marks);
  });

  test('long names, many bytes and attributes arrive as they were; plain keeps whiteouts as files', async (t) => {
    const [source, root] = [await folder(t), await folder(t)];
    const deep = path.join(source, ...Array.from({ length: 12 }, () => 'd'.repeat(40)));
    mkdirSync(deep, { recursive: true });
    writeFileSync(path.join(deep, 'ü'.repeat(100)), 'long');
    symlinkSync('t'.repeat(300), path.join(source, 'link'));
    writeFileSync(path.join(source, '.wh.file'), 'kept');
    const big = Buffer.alloc(3_000_001, 'wherry ');
    writeFileSync(path.join(source, 'big'), big);
    writeFileSync(path.join(source, 'holes'), '');
    truncateSync(path.join(source, 'holes'), 1_000_000);
    await program.packLayer({ source, gzip: true }, { root, plain: true, into: 'some/where' }, never);
    const placed = path.join(root, 'some/where');
    assert.deepEqual(readdirSync(placed).sort(), readdirSync(source).sort());
    assert.deepEqual(readFileSync(path.join(placed, 'big')), big);
    execFileSync('diff', ['-r', '--no-dereference', source, placed]);
  });

  test('what cannot be read is told, and nothing hangs', async (t) => {
    const source = path.join(await folder(t), 'missing');
    await assert.rejects(program.packLayer({ source }, {}, never), /open .*missing: No such file/);
    await assert.rejects(program.packLayer({ source, as: 'x', gzip: true }, { root: '/nowhere' }, never), /\/nowhere/);
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await assert.rejects(program.packLayer({ source: '/usr' }, {}, stop.signal), /enough/);
  });
});
