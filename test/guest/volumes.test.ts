/** Volumes' files and clones, on the real engine and its data disk (XFS), with owners as containers see them. */
import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { guestPaths } from '../../vm/contract/wherry-api.ts';
import type { FolderFiles, VolumeCloneMessage, VolumeUsage } from '../../vm/contract/wherry-api.ts';
import { UnpackProgram } from '../../vm/agent/snapshots/unpack-program.ts';
import { unpackFile } from '../helpers/image-store.ts';
import { call, runToEnd, starterReady } from './engine-client.ts';

before(starterReady);

async function makeVolume(t: TestContext, name: string): Promise<void> {
  assert.equal((await call('POST', '/volumes/create', { Name: name })).status, 201);
  t.after(() => call('DELETE', `/volumes/${name}`));
}

test('what a container wrote is listed and cloned by reflink, and its own users own it', async (t) => {
  await makeVolume(t, 'test-files');
  const script = 'mkdir /data/sub && dd if=/dev/urandom of=/data/sub/big bs=1M count=8 && chown 70:70 /data/sub/big';
  const HostConfig = { Binds: ['test-files:/data'] };
  const wrote = await runToEnd(t, { Cmd: ['sh', '-c', script], HostConfig });
  assert.equal(wrote.exitCode, 0, wrote.stderr);
  const listed = await call('GET', '/wherry/v1/volumes/test-files/files?path=/sub');
  assert.deepEqual(
    listed.json<FolderFiles>().entries.map(({ name, sizeBytes }) => [name, sizeBytes]),
    [['big', 8 * 1024 * 1024]],
  );
  const usage = await call('GET', '/wherry/v1/volumes/test-files/usage');
  assert.equal(usage.json<VolumeUsage>().sizeBytes, 8 * 1024 * 1024);
  const cloned = await call('POST', '/wherry/v1/volumes/test-files/clone', { name: 'test-files-2' });
  t.after(() => call('DELETE', '/volumes/test-files-2'));
  const last = JSON.parse(cloned.body.trim().split('\n').at(-1) ?? '') as VolumeCloneMessage;
  assert.deepEqual(last, { kind: 'done', files: 1, bytes: 8 * 1024 * 1024, sharedBytes: 8 * 1024 * 1024 });
  const look = 'stat -c "%u:%g %s" /data/sub/big && cmp /data/sub/big /old/sub/big';
  const read = await runToEnd(t, {
    Cmd: ['sh', '-c', look],
    HostConfig: { Binds: ['test-files-2:/data', 'test-files:/old:ro'] },
  });
  assert.deepEqual([read.exitCode, read.stdout.trim()], [0, '70:70 8388608'], read.stderr);
  assert.equal((await call('POST', '/wherry/v1/volumes/test-files/clone', { name: 'test-files-2' })).status, 409);
});

test('from a file system that cannot share, the bytes are copied', async (t) => {
  const [from, to] = [mkdtempSync(path.join(tmpdir(), 'copy-')), path.join(guestPaths.data, 'test-copy')];
  mkdirSync(to);
  t.after(() => {
    for (const folder of [from, to]) rmSync(folder, { recursive: true, force: true });
  });
  const content = Buffer.alloc(300_000, 'wherry ');
  mkdirSync(path.join(from, 'in'), { mode: 0o2750 });
  writeFileSync(path.join(from, 'in', 'file'), content, { mode: 0o600 });
  const program = new UnpackProgram(unpackFile);
  const copied = await program.copyFolder(from, to, new AbortController().signal, () => undefined);
  assert.deepEqual(copied, { files: 1, bytes: 300_000, sharedBytes: 0 });
  assert.deepEqual(readFileSync(path.join(to, 'in', 'file')), content);
  assert.equal(statSync(path.join(to, 'in')).mode & 0o7777, statSync(path.join(from, 'in')).mode & 0o7777);
  assert.deepEqual(
    readdirSync(path.join(guestPaths.data, 'volumes')).filter((name) => name.startsWith('.new-')),
    [],
  );
});
