import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { UnpackError, UnpackProgram } from '../../../vm/agent/snapshots/unpack-program.ts';
import type { LayerJob, LayerResult, UnpackFailure } from '../../../vm/agent/snapshots/unpack-program.ts';
import { cannotUnpack, unpackFile } from '../../helpers/image-store.ts';
import { tar } from '../../helpers/tar.ts';

const program = new UnpackProgram(unpackFile);
const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'wherry-unpack-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function unpack(
  input: Buffer,
  job: LayerJob,
  options: { chunkSize?: number; using?: UnpackProgram } = {},
): Promise<LayerResult> {
  const running = (options.using ?? program).startLayer(job, new AbortController().signal);
  const size = options.chunkSize ?? Math.max(1, input.length);
  for (let at = 0; at < input.length && !running.input.destroyed; at += size) {
    if (!running.input.write(input.subarray(at, at + size))) {
      await Promise.race([once(running.input, 'drain'), once(running.input, 'close')]).catch(() => undefined);
    }
  }
  running.input.end();
  return running.result;
}

async function refused(
  input: Buffer,
  job: LayerJob,
  kind: UnpackFailure,
  message: RegExp,
  using = program,
): Promise<void> {
  await assert.rejects(unpack(input, job, { using }), (error: unknown) => {
    assert.ok(error instanceof UnpackError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  });
}

const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');

const everything = tar(
  { name: './', type: '5', mode: 0o755 },
  { name: 'etc/', type: '5', mode: 0o751, uid: 7, gid: 8, mtime: 1_600_000_000 },
  { name: 'etc/passwd', data: 'root:x:0:0::/:/bin/sh\n', mode: 0o640, uid: 1000, gid: 1001 },
  { name: 'bin/su', data: '#!', mode: 0o4755 },
  { name: 'bin/su-link', type: '1', link: 'bin/su' },
  { name: 'bin/sh', type: '2', link: '../etc/../bin/su', uid: 5, gid: 6 },
  { name: 'dev/null', type: '3', device: [1, 3], mode: 0o666 },
  { name: 'dev/sda', type: '4', device: [8, 0], mode: 0o660 },
  { name: 'run/fifo', type: '6', mode: 0o600 },
  { name: 'short', pax: { path: `${'deep/'.repeat(30)}${'n'.repeat(200)}` }, data: 'long' },
  { name: 'bin/ping', data: 'ping', pax: { 'SCHILY.xattr.security.capability': capability, mtime: '1500000000.25' } },
);

describe('native/unpack', { skip: cannotUnpack }, () => {
  for (const [form, compress] of [
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
    [
      'several gzip members',
      (bytes: Buffer) => Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
    ],
    ['zstd', (bytes: Buffer) => execFileSync('zstd', ['-q', '-c'], { input: bytes })],
  ] as const) {
    test(`${form}: every kind of entry, in chunks of 1, 321 and all bytes`, async (t) => {
      const input = compress(everything);
      for (const chunkSize of [1, 321, input.length]) {
        const root = await folder(t);
        const result = await unpack(input, { root }, { chunkSize });
        assert.equal(result.digest, sha256(input));
        assert.equal(result.diffId, sha256(everything));
        assert.equal(result.compressedBytes, input.length);
        assert.equal(result.entries, 11);
        checkEverything(root);
      }
    });
  }

  test("whiteouts take overlayfs' form", async (t) => {
    const root = await folder(t);
    const input = tar(
      { name: 'gone/', type: '5' },
      { name: 'gone/.wh.file' },
      { name: 'opaque/', type: '5' },
      { name: 'opaque/.wh..wh..opq' },
      { name: 'opaque/kept', data: 'k' },
      { name: '.wh..wh.plnk', type: '5' },
      { name: '.wh.replaced' },
      { name: 'replaced/', type: '5' },
      { name: '.wh.implied' },
      { name: 'implied/child', data: 'c' },
      { name: 'later/', type: '5' },
      { name: '.wh.later' },
    );
    await unpack(input, { root });
    const mark = lstatSync(path.join(root, 'gone/file'));
    assert.ok(mark.isCharacterDevice());
    assert.equal(mark.rdev, 0);
    for (const name of ['opaque', 'replaced', 'implied', 'later'])
      assert.equal(xattr(root, name, 'trusted.overlay.opaque'), 'y');
    assert.deepEqual(readdirSync(path.join(root, 'opaque')), ['kept']);
    assert.deepEqual(readdirSync(root).sort(), ['gone', 'implied', 'later', 'opaque', 'replaced']);
  });

  test('whiteouts are carried out on what lower layers left, with owners shifted', async (t) => {
    const root = await folder(t);
    await unpack(
      tar(
        { name: 'a/one', data: '1' },
        { name: 'a/two', data: '2' },
        { name: 'b/c/three', data: '3' },
        { name: 'd', data: 'd' },
      ),
      { root, apply: true, shift: 100_000 },
    );
    await unpack(
      tar({ name: 'a/new', data: 'n', uid: 5 }, { name: 'a/.wh..wh..opq' }, { name: 'b/.wh.c' }, { name: '.wh.d' }),
      { root, apply: true, shift: 100_000 },
    );
    assert.deepEqual(readdirSync(path.join(root, 'a')), ['new']);
    assert.deepEqual(readdirSync(path.join(root, 'b')), []);
    assert.equal(existsSync(path.join(root, 'd')), false);
    assert.equal(statSync(path.join(root, 'a/new')).uid, 100_005);
    assert.equal(statSync(path.join(root, 'a')).uid, 100_000);
  });

  test('nothing leaves the root', async (t) => {
    const outer = await folder(t);
    const root = path.join(outer, 'root');
    mkdirSync(root);
    writeFileSync(path.join(outer, 'secret'), 'secret');
    for (const name of ['../escaped', 'a/../../escaped', '/../escaped', '..']) {
      await refused(tar({ name, data: 'x' }), { root }, 'unsafe', /leads out of the layer/);
    }
    await refused(tar({ name: 'h', type: '1', link: '../secret' }), { root }, 'unsafe', /leads out of the layer/);
    await refused(tar({ name: 'h', type: '1', link: '/secret' }), { root }, 'bad-archive', /link to \/secret/);
    await refused(tar({ name: './', data: 'x', type: '2', link: '/' }), { root }, 'unsafe', /can only be a folder/);
    await refused(tar({ name: 'a/.wh...' }), { root }, 'unsafe', /whiteout/);
    assert.deepEqual(readdirSync(outer).sort(), ['root', 'secret']);
  });

  test('links lead no further than the root', async (t) => {
    const outer = await folder(t);
    const root = path.join(outer, 'root');
    mkdirSync(root);
    await unpack(
      tar(
        { name: 'up', type: '2', link: '../../..' },
        { name: 'absolute', type: '2', link: outer },
        { name: 'up/from-up', data: 'u' },
        { name: outer.slice(1), type: '5' },
        { name: 'absolute/from-absolute', data: 'a' },
        { name: '/rooted', data: 'r' },
      ),
      { root },
    );
    assert.deepEqual(readdirSync(outer), ['root']);
    assert.ok(existsSync(path.join(root, 'from-up')));
    assert.ok(existsSync(path.join(root, outer, 'from-absolute')));
    assert.ok(existsSync(path.join(root, 'rooted')));
    // A file through a symbolic link of the same name replaces the link, not what it points to.
    writeFileSync(path.join(outer, 'victim'), 'safe');
    await unpack(tar({ name: 'v', type: '2', link: '../victim' }, { name: 'v', data: 'evil' }), { root });
    assert.equal(readFileSync(path.join(outer, 'victim'), 'utf8'), 'safe');
    assert.equal(readFileSync(path.join(root, 'v'), 'utf8'), 'evil');
    await refused(
      tar({ name: 'dangling', type: '2', link: 'nowhere' }, { name: 'dangling/x' }),
      { root },
      'bad-archive',
      /dangling/,
    );
  });

  test('attributes that steer overlayfs are left out', async (t) => {
    const root = await folder(t);
    const pax = { 'SCHILY.xattr.trusted.overlay.redirect': '/etc', 'SCHILY.xattr.trusted.overlay.opaque': 'y' };
    const result = await unpack(tar({ name: 'd/', type: '5', pax }), { root });
    assert.equal(result.skippedAttributes, 2);
    assert.equal(xattr(root, 'd', 'trusted.overlay.opaque'), undefined);
  });

  test('later entries replace earlier ones of another kind', async (t) => {
    const root = await folder(t);
    await unpack(
      tar(
        { name: 'x/child', data: '1' },
        { name: 'x', data: 'file now' },
        { name: 'y', data: '2' },
        { name: 'y/', type: '5' },
        { name: 'z', data: 'z' },
        { name: 'z', type: '1', link: 'z' },
      ),
      { root },
    );
    assert.equal(readFileSync(path.join(root, 'x'), 'utf8'), 'file now');
    assert.ok(statSync(path.join(root, 'y')).isDirectory());
    assert.equal(readFileSync(path.join(root, 'z'), 'utf8'), 'z');
  });

  test('sparse files of every format stay sparse', async (t) => {
    const source = await folder(t);
    const content = Buffer.alloc(8 * 1024 * 1024);
    content.write('start', 0);
    content.write('middle', 4 * 1024 * 1024);
    writeFileSync(path.join(source, 'plain'), content);
    execFileSync('cp', ['--sparse=always', 'plain', 'hole'], { cwd: source });
    const formats = [
      ['gnu'],
      ['posix', '--sparse-version=0.0'],
      ['posix', '--sparse-version=0.1'],
      ['posix', '--sparse-version=1.0'],
    ];
    for (const [format = '', ...options] of formats) {
      const archive = execFileSync('tar', [`--format=${format}`, ...options, '-S', '-cf', '-', 'hole'], {
        cwd: source,
        maxBuffer: 1 << 26,
      });
      assert.ok(archive.length < 1024 * 1024, 'tar made it sparse');
      const root = await folder(t);
      const result = await unpack(archive, { root }, { chunkSize: 321 });
      assert.equal(result.fileBytes, content.length);
      assert.ok(readFileSync(path.join(root, 'hole')).equals(content), [format, ...options].join(' '));
      assert.ok(statSync(path.join(root, 'hole')).blocks * 512 < 1024 * 1024);
      assert.deepEqual(readdirSync(root), ['hole']);
    }
  });

  test('damaged and cut archives are told as such', async (t) => {
    const root = await folder(t);
    const whole = gzipSync(tar({ name: 'f', data: Buffer.alloc(200_000, 'x') }));
    await refused(whole.subarray(0, whole.length - 5), { root }, 'bad-archive', /truncated/);
    await refused(whole.subarray(0, 20), { root }, 'bad-archive', /truncated/);
    const flipped = Buffer.from(whole);
    flipped[flipped.length - 6] = (flipped[flipped.length - 6] ?? 0) ^ 0xff;
    await refused(flipped, { root }, 'bad-archive', /damaged/);
    await refused(Buffer.from('<html>not a layer</html>'.repeat(100)), { root }, 'bad-archive', /not a tar archive/);
    await refused(tar({ name: 'f', data: 'short', size: 1 << 20 }), { root }, 'bad-archive', /truncated/);
    await refused(tar({ name: 'f', type: 'Z' }), { root }, 'bad-archive', /not supported/);
    await refused(tar({ name: 'f', pax: { size: '99999999999999999999' } }), { root }, 'bad-archive', /size/);
    await refused(
      tar({ name: 'a/'.repeat(10), type: '5', pax: { path: 'p/'.repeat(3000) } }),
      { root },
      'bad-archive',
      /too long/,
    );
  });

  test('bombs are stopped', async (t) => {
    const root = await folder(t);
    const small = new UnpackProgram(unpackFile, { maxBytes: 1024 * 1024, maxEntries: 10 });
    const bomb = gzipSync(
      Buffer.concat([tar({ name: 'f', data: Buffer.alloc(900 * 1024) }), Buffer.alloc(50 * 1024 * 1024)]),
    );
    await refused(bomb, { root }, 'too-large', /larger than 1048576/, small);
    const many = tar(...Array.from({ length: 11 }, (_, index) => ({ name: `f${index}` })));
    await refused(many, { root }, 'too-large', /more than 10 entries/, small);
    const claim = tar({
      name: 'f',
      pax: { 'GNU.sparse.major': '0', 'GNU.sparse.size': '1099511627776', 'GNU.sparse.map': '' },
    });
    await refused(claim, { root }, 'too-large', /1048576 bytes/, small);
  });

  test('an interrupted download goes on from what was kept', async (t) => {
    const [root, other] = [await folder(t), await folder(t)];
    const input = gzipSync(everything);
    const file = path.join(other, 'kept');
    writeFileSync(file, Buffer.concat([input.subarray(0, 300), Buffer.from('beyond what was asked for')]));
    const result = await unpack(input.subarray(300), { root, keep: { file, resumeBytes: 300 } });
    assert.equal(result.digest, sha256(input));
    assert.ok(readFileSync(file).equals(input));
    checkEverything(root);
    await unpack(input, { keep: { file, resumeBytes: 0 } });
    assert.ok(readFileSync(file).equals(input));
  });

  test('a full disk is called that', async (t) => {
    const disk = await folder(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    try {
      const input = tar({ name: 'big', data: Buffer.alloc(3 * 1024 * 1024, 'x') });
      await refused(input, { root: disk }, 'disk-full', /No space left on device/);
      await refused(
        input,
        { keep: { file: path.join(disk, 'kept'), resumeBytes: 0 } },
        'disk-full',
        /No space left on device/,
      );
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test('cancelling kills the program', async (t) => {
    const controller = new AbortController();
    const running = program.startLayer({ root: await folder(t) }, controller.signal);
    running.input.write(everything.subarray(0, 700));
    controller.abort(new Error('enough'));
    await assert.rejects(running.result, /enough/);
  });

  test('folders are removed and measured however deep', async (t) => {
    const base = await folder(t);
    const top = path.join(base, 'top');
    mkdirSync(top);
    const script = "for (let i = 0; i < 400; i++) { fs.mkdirSync('d'.repeat(20)); process.chdir('d'.repeat(20)); }";
    execFileSync(process.execPath, ['-e', script], { cwd: top });
    writeFileSync(path.join(top, 'file'), 'x'.repeat(1000));
    execFileSync('ln', [path.join(top, 'file'), path.join(top, 'again')]);
    await program.removeFolder(path.join(base, 'nothing'));
    await program.removeFolder(top);
    assert.deepEqual(readdirSync(base), []);
    mkdirSync(path.join(base, 'm/n'), { recursive: true });
    writeFileSync(path.join(base, 'm/n/a'), 'x'.repeat(1000));
    execFileSync('ln', [path.join(base, 'm/n/a'), path.join(base, 'm/b')]);
    assert.equal(await program.folderBytes(path.join(base, 'm')), 1000);
  });
});

function checkEverything(root: string): void {
  const at = (name: string): string => path.join(root, name);
  const etc = statSync(at('etc'));
  assert.deepEqual([etc.mode & 0o7777, etc.uid, etc.gid, etc.mtimeMs], [0o751, 7, 8, 1_600_000_000_000]);
  const passwd = statSync(at('etc/passwd'));
  assert.deepEqual([passwd.mode & 0o7777, passwd.uid, passwd.gid], [0o640, 1000, 1001]);
  assert.equal(passwd.mtimeMs, 1_700_000_000_000);
  assert.equal(statSync(at('bin/su')).mode & 0o7777, 0o4755);
  assert.equal(statSync(at('bin/su')).ino, statSync(at('bin/su-link')).ino);
  assert.equal(readlinkSync(at('bin/sh')), '../etc/../bin/su');
  assert.equal(lstatSync(at('bin/sh')).uid, 5);
  const device = lstatSync(at('dev/null'));
  assert.ok(device.isCharacterDevice());
  assert.deepEqual([device.rdev, device.mode & 0o777], [(1 << 8) | 3, 0o666]);
  assert.ok(lstatSync(at('dev/sda')).isBlockDevice());
  assert.ok(lstatSync(at('run/fifo')).isFIFO());
  assert.equal(readFileSync(at(`${'deep/'.repeat(30)}${'n'.repeat(200)}`), 'utf8'), 'long');
  assert.equal(statSync(at('bin/ping')).mtimeMs, 1_500_000_000_250);
  assert.equal(xattr(root, 'bin/ping', 'security.capability'), capability.toString('latin1'));
}

/** As GNU tar tells it. */
function xattr(root: string, name: string, attribute: string): string | undefined {
  const options = ['--format=posix', '--no-recursion', '--xattrs', '--xattrs-include=*'];
  const records = execFileSync('tar', [...options, '-C', root, '-cf', '-', name]).toString('latin1');
  const record = new RegExp(`(?:^|[^0-9])([0-9]+) SCHILY\\.xattr\\.${attribute.replaceAll('.', '\\.')}=`).exec(records);
  if (record === null) return undefined;
  const start = record.index + record[0].length;
  const valueLength = Number(record[1]) - `${record[1] ?? ''} SCHILY.xattr.${attribute}=`.length - 1;
  return records.slice(start, start + valueLength);
}
