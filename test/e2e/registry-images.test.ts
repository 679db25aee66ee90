/** Images nobody here wrote, from a registry nobody here wrote; what is unpacked is compared with what umoci unpacks. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { VfsSnapshotter } from '../../vm/agent/snapshots/vfs.ts';
import { UnpackProgram } from '../../vm/agent/snapshots/unpack-program.ts';
import { fixtureImage } from '../fixtures/images.ts';
import { cannotUnpack, openTestStore, unpackFile } from '../helpers/image-store.ts';
import { startRegistry } from '../helpers/registry.ts';
import type { Registry } from '../helpers/registry.ts';

describe('a real registry', { skip: cannotUnpack }, () => {
  let registry: Registry;
  before(async () => {
    registry = await startRegistry({ 'nginx:latest': 'nginx', 'busybox:latest': 'busybox' });
    await registry.push('busybox', 'busybox:zstd', ['--dest-compress-format', 'zstd']);
    await registry.push('busybox', 'busybox:docker', ['--format', 'v2s2']);
    await registry.push('nginx', 'busybox:arm64');
    await registry.pushIndex('busybox:several', [
      { tag: 'arm64', platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { tag: 'latest', platform: { os: 'linux', architecture: 'amd64' } },
    ]);
  });
  after(() => registry.close());

  test('OCI, Docker schema 2, zstd layers and an index give the same image', async () => {
    await using store = await openTestStore();
    for (const tag of ['latest', 'zstd', 'docker', 'several']) await store.pull(`${registry.host}/busybox:${tag}`);
    const layers = new Set(store.parts.records.all().flatMap((image) => image.layers.map(({ diffId }) => diffId)));
    assert.equal(layers.size, 1, 'one layer, however it was packed');
    assert.equal(store.parts.records.names().filter(({ kind }) => kind === 'tag').length, 4);
  });

  test('a server image of several layers is unpacked as umoci unpacks it', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'wherry-compare-'));
    try {
      await using store = await openTestStore();
      await store.pull(`${registry.host}/nginx`);
      const [image] = store.parts.records.all();
      assert.ok(image);
      assert.equal(image.layers.length, 3);
      const vfs = await VfsSnapshotter.open(folder, new UnpackProgram(unpackFile), () => Promise.resolve());
      for (const { diffId, blobDigest } of image.layers) {
        await (await vfs.begin()).commit(diffId, store.parts.blobs.path(blobDigest));
      }
      const diffIds = image.layers.map(({ diffId }) => diffId);
      const { upperDir } = await vfs.prepareRoot('compared', diffIds, { ownerId: 0 });
      const { layout, tag } = await fixtureImage('nginx');
      execFileSync('umoci', ['unpack', '--keep-dirlinks', '--image', `${layout}:${tag}`, path.join(folder, 'bundle')], {
        stdio: 'pipe',
      });
      assert.deepEqual(listing(upperDir), listing(path.join(folder, 'bundle/rootfs')));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** Every entry with its kind, mode, owner, links, time, target and content. */
function listing(root: string): string[] {
  const format = '%P|%y|%m|%U:%G|%n|%s|%T@|%l\\n';
  const found = execFileSync('find', ['.', '!', '-type', 'd', '-printf', format], { cwd: root, maxBuffer: 1 << 26 });
  const folders = execFileSync('find', ['.', '-type', 'd', '-printf', '%P|%m|%U:%G\\n'], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  const sums = execFileSync('sh', ['-c', 'find . -type f -print0 | sort -z | xargs -0 sha256sum'], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  return [found, folders, sums].flatMap((output) => output.toString().trim().split('\n').sort());
}
