/** Saving, loading and importing images: real archives, a real store, skopeo as the other side. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { importImage } from '../../../../../vm/agent/use-cases/import-image.ts';
import { loadImages } from '../../../../../vm/agent/use-cases/load-images.ts';
import type { ProgressLine } from '../../../../../vm/agent/use-cases/pull-progress.ts';
import { removeImage } from '../../../../../vm/agent/use-cases/remove-image.ts';
import { saveImages } from '../../../../../vm/agent/use-cases/save-images.ts';
import { cannotUnpack, leftovers, openTestStore } from '../../../../helpers/image-store.ts';
import type { TestStore } from '../../../../helpers/image-store.ts';
import { tar } from '../../../../helpers/tar.ts';
import type { TarEntry } from '../../../../helpers/tar.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Made {
  readonly config: Buffer;
  readonly id: string;
  readonly layer: Buffer;
}

/** An image of one layer, with this text in it. */
function make(text: string): Made {
  const layer = tar({ name: 'etc/', type: '5' }, { name: 'etc/text', data: text });
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '2024-05-06T07:08:09Z',
      config: { Cmd: ['cat', '/etc/text'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    }),
  );
  return { config, id: `sha256:${sha256(config)}`, layer };
}

/** As Docker before 25 saved it: a folder for each layer. */
function oldArchive(images: readonly { made: Made; tags: readonly string[] | null }[], more: readonly TarEntry[] = []) {
  const files = images.flatMap(({ made }) => [
    { name: `${made.id.slice(7)}.json`, data: made.config },
    { name: `${sha256(made.layer)}/`, type: '5' },
    { name: `${sha256(made.layer)}/layer.tar`, data: made.layer },
  ]);
  const manifest = images.map(({ made, tags }) => ({
    Config: `${made.id.slice(7)}.json`,
    RepoTags: tags,
    Layers: [`${sha256(made.layer)}/layer.tar`],
  }));
  return tar(...files, { name: 'manifest.json', data: JSON.stringify(manifest) }, ...more);
}

describe('archives of images', { skip: cannotUnpack }, () => {
  let store: TestStore;
  beforeEach(async () => {
    store = await openTestStore();
  });
  afterEach(async () => {
    assert.deepEqual(leftovers(store), []);
    await store[Symbol.asyncDispose]();
  });

  async function load(archive: Buffer | Readable, quiet = true): Promise<ProgressLine[]> {
    const lines: ProgressLine[] = [];
    const stream = Buffer.isBuffer(archive) ? Readable.from([archive]) : archive;
    await loadImages(store.parts, stream, { quiet }, (line) => lines.push(line), never);
    return lines;
  }

  async function save(...names: string[]): Promise<Buffer> {
    using archive = await saveImages(store.parts, names);
    return await buffer(archive.chunks);
  }

  const tags = (id: string): string[] =>
    store.parts.records
      .namesOf(id)
      .flatMap(({ kind, path: name, value }) => (kind === 'tag' ? [`${name}:${value}`] : []));

  test('several images, with and without names, plain and gzipped', async () => {
    const [one, two] = [make('one'), make('two')];
    const archive = oldArchive([
      { made: one, tags: ['app:1', 'app:latest'] },
      { made: two, tags: null },
    ]);
    assert.deepEqual(await load(gzipSync(archive)), [
      { stream: 'Loaded image: app:1\n' },
      { stream: 'Loaded image: app:latest\n' },
      { stream: `Loaded image ID: ${two.id}\n` },
    ]);
    assert.deepEqual(tags(one.id), ['library/app:1', 'library/app:latest']);
    assert.equal(store.parts.records.get(two.id)?.layers[0]?.diffId, `sha256:${sha256(two.layer)}`);
    const moved = await load(oldArchive([{ made: two, tags: ['app:1'] }]));
    assert.match(moved[0]?.stream ?? '', /^The image app:1 already exists, renaming the old one with ID sha256:/);
    assert.deepEqual(tags(two.id), ['library/app:1']);
  });

  test('progress is told unless it shall be quiet', async () => {
    const lines = await load(oldArchive([{ made: make('x'.repeat(3_000_000)), tags: ['big:1'] }]), false);
    const last = lines.filter(({ status }) => status === 'Loading layer').at(-1);
    assert.equal(last?.progressDetail?.current, last?.progressDetail?.total);
    assert.ok((last?.progressDetail?.total ?? 0) > 3_000_000);
  });

  test('what is saved can be loaded here and read by skopeo, and has the same ids', async (t) => {
    const [one, two] = [make('one'), make('two')];
    await load(
      oldArchive([
        { made: one, tags: ['app:1'] },
        { made: two, tags: ['other/app:2'] },
      ]),
    );
    const both = await save('app:1', 'other/app:2');
    const single = await save('app:1');
    const folder = await mkdtemp(path.join(tmpdir(), 'wherry-saved-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(`${folder}/single.tar`, single);
    for (const form of ['docker-archive', 'oci-archive']) {
      const { stdout } = await run('skopeo', ['inspect', '--config', `${form}:${folder}/single.tar`]);
      assert.deepEqual((JSON.parse(stdout) as { config: object }).config, { Cmd: ['cat', '/etc/text'] }, form);
      const layout = `oci:${folder}/${form}:x`;
      await run('skopeo', ['--insecure-policy', 'copy', '--quiet', `${form}:${folder}/single.tar`, layout]);
    }
    for (const name of ['app:1', 'other/app:2']) await removeImage(store.parts, name, { force: false });
    assert.deepEqual(store.parts.records.all(), []);
    assert.deepEqual(await load(both), [
      { stream: 'Loaded image: app:1\n' },
      { stream: 'Loaded image: other/app:2\n' },
    ]);
    assert.deepEqual([tags(one.id), tags(two.id)], [['library/app:1'], ['other/app:2']]);
    for (const form of ['docker-archive', 'oci-archive']) {
      const target = form === 'oci-archive' ? `${folder}/${form}.tar:app:3` : `${folder}/${form}.tar:app:3`;
      await run('skopeo', [
        '--insecure-policy',
        'copy',
        '--quiet',
        `docker-archive:${folder}/single.tar`,
        `${form}:${target}`,
      ]);
      await removeImage(store.parts, one.id, { force: true });
      const { createReadStream } = await import('node:fs');
      assert.deepEqual(
        await load(createReadStream(`${folder}/${form}.tar`)),
        [{ stream: 'Loaded image: app:3\n' }],
        form,
      );
    }
  });

  test('an image with several names is saved and loaded once', async () => {
    await load(oldArchive([{ made: make('one'), tags: ['app:1', 'app:2'] }]));
    const archive = await save('app:1', 'app:2');
    assert.deepEqual(await load(archive), [{ stream: 'Loaded image: app:1\n' }, { stream: 'Loaded image: app:2\n' }]);
  });

  test('unknown images are not saved', async () => {
    await assert.rejects(save('no-such'), /No such image: no-such:latest/);
    await assert.rejects(save(), /no images were named/);
  });

  test('archives that are wrong leave nothing', async () => {
    const one = make('one');
    const good = oldArchive([{ made: one, tags: ['app:1'] }]);
    const manifest = (value: object): TarEntry => ({ name: 'manifest.json', data: JSON.stringify(value) });
    const config = { name: 'config.json', data: one.config };
    const bad: readonly (readonly [what: string, archive: Buffer, message: RegExp])[] = [
      ['cut off', good.subarray(0, 2048), /invalid archive/],
      ['no archive', Buffer.from('hello'.repeat(1000)), /invalid archive/],
      ['empty', tar(), /holds neither manifest.json nor index.json/],
      ['no JSON', tar({ name: 'manifest.json', data: '{' }), /not JSON/],
      ['another shape', tar(manifest({ a: 1 })), /malformed/],
      ['no configuration', tar(manifest([{ Config: 'gone.json', Layers: [] }])), /gone.json is missing/],
      ['no layer', tar(config, manifest([{ Config: 'config.json', Layers: ['gone.tar'] }])), /gone.tar is missing/],
      ['too few layers', tar(config, manifest([{ Config: 'config.json', Layers: [] }])), /layers length mismatch/],
      [
        'another layer',
        tar(config, { name: 'l.tar', data: tar() }, manifest([{ Config: 'config.json', Layers: ['l.tar'] }])),
        /invalid diffID for layer/,
      ],
      ['a link out', tar({ name: 'manifest.json', type: '2', link: '/etc/passwd' }), /neither manifest.json/],
      [
        'a device',
        tar({ name: 'z', type: '3', device: [1, 5] }, manifest([{ Config: 'z', Layers: [] }])),
        /z is not a file/,
      ],
      [
        'a layout of links',
        tar({ name: 'oci-layout', data: '{}' }, { name: 'index.json', type: '2', link: '/etc/passwd' }),
        /is not an index/,
      ],
    ];
    for (const [what, archive, message] of bad) {
      await assert.rejects(load(archive), message, what);
      assert.deepEqual(leftovers(store), [], what);
    }
    assert.deepEqual(store.parts.records.all(), []);
    assert.deepEqual(store.parts.records.names(), []);
  });

  test('a sender that leaves in the middle leaves nothing', async () => {
    const archive = oldArchive([{ made: make('one'), tags: ['app:1'] }]);
    const half = new PassThrough();
    half.write(archive.subarray(0, 1500));
    setTimeout(() => half.destroy(new Error('left')), 50);
    await assert.rejects(load(half), /left/);
    assert.deepEqual(store.parts.records.all(), []);
  });

  test('an import is one layer with what its changes say', async () => {
    const layer = tar({ name: 'bin/', type: '5' }, { name: 'bin/true', data: 'true', mode: 0o755 });
    const request = {
      repository: 'made/here',
      tag: 'v1',
      message: 'from a test',
      changes: ['CMD ["/bin/true"]', 'ENV A=b\nLABEL c=d'],
      platform: undefined,
    };
    const id = await importImage(store.parts, request, Readable.from([layer]), never);
    const image = store.parts.records.get(id);
    assert.ok(image);
    const settings = image.config.config;
    assert.deepEqual([settings?.Cmd, settings?.Env, settings?.Labels], [['/bin/true'], ['A=b'], { c: 'd' }]);
    assert.equal(image.config.history?.[0]?.comment, 'from a test');
    assert.equal(image.layers[0]?.diffId, `sha256:${sha256(layer)}`);
    assert.deepEqual(tags(id), ['made/here:v1']);
    await assert.rejects(
      importImage(store.parts, { ...request, changes: ['RUN x'] }, Readable.from([layer]), never),
      /RUN is not a valid change command/,
    );
    await assert.rejects(
      importImage(store.parts, request, Readable.from([gzipSync(layer).subarray(0, 60)]), never),
      /truncated|unexpected|incomplete|corrupt/i,
    );
  });
});
