import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { type CpioEntry, writeCpio } from '../../../../vm/image/cpio.ts';
import { type TarEntry, writeTar } from '../../../../vm/image/tar.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-archives-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const cpioEntries: CpioEntry[] = [
  { kind: 'folder', path: 'lib' },
  // Sizes 0 to 4 need every padding there is.
  ...[0, 1, 2, 3, 4].map((size): CpioEntry => ({
    kind: 'file',
    path: `lib/${'n'.repeat(size + 1)}`,
    mode: 0o644,
    content: Buffer.alloc(size, 'x'),
  })),
  { kind: 'file', path: 'init', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
];

test('cpio itself unpacks the archive to the same files', (t) => {
  const folder = temporaryFolder(t);
  execFileSync('cpio', ['-i', '--quiet', '-D', folder], { input: writeCpio(cpioEntries) });
  for (const entry of cpioEntries) {
    if (entry.kind !== 'file') continue;
    assert.deepEqual(readFileSync(path.join(folder, entry.path)), Buffer.from(entry.content));
    assert.equal(statSync(path.join(folder, entry.path)).mode & 0o777, entry.mode);
  }
});

test('cpio lists a device node with its numbers', () => {
  const archive = writeCpio([{ kind: 'device', path: 'console', mode: 0o600, major: 5, minor: 1 }]);
  const list = execFileSync('cpio', ['-itv', '--quiet', '--numeric-uid-gid'], { input: archive }).toString();
  assert.match(list, /^crw------- +1 0 +0 +5, +1 .* console$/m);
});

const tarEntries: TarEntry[] = [
  { kind: 'folder', path: 'etc', mode: 0o700 },
  { kind: 'file', path: 'etc/empty', content: '' },
  { kind: 'file', path: 'etc/one-block', mode: 0o600, content: Buffer.alloc(512, 'y') },
  { kind: 'file', path: 'etc/more', content: Buffer.alloc(513, 'z') },
  { kind: 'link', path: 'sh', target: 'busybox' },
];

test('tar itself unpacks the archive to the same files', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(path.join(folder, 'archive.tar'), writeTar(tarEntries, 1_700_000_000));
  execFileSync('tar', ['-xf', 'archive.tar'], { cwd: folder });
  assert.equal(readFileSync(path.join(folder, 'etc/more'), 'latin1'), 'z'.repeat(513));
  assert.equal(readFileSync(path.join(folder, 'etc/one-block'), 'latin1'), 'y'.repeat(512));
  assert.equal(statSync(path.join(folder, 'etc/one-block')).mode & 0o777, 0o600);
  assert.equal(statSync(path.join(folder, 'etc/empty')).size, 0);
  assert.equal(statSync(path.join(folder, 'etc/empty')).mtimeMs, 1_700_000_000_000);
  assert.equal(statSync(path.join(folder, 'etc')).mode & 0o777, 0o700);
  assert.equal(readlinkSync(path.join(folder, 'sh')), 'busybox');
});

test('a path that no ustar header holds is refused rather than cut', () => {
  const path = 'p'.repeat(101);
  assert.throws(() => writeTar([{ kind: 'file', path, content: '' }], 0), RangeError);
});
