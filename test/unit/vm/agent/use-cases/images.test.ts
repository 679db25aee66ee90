import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Leases } from '../../../../../vm/agent/content/leases.ts';
import type { BlobStore } from '../../../../../vm/agent/content/blob-store.ts';
import type { ImageUser } from '../../../../../vm/agent/images.ts';
import type { Snapshotter } from '../../../../../vm/agent/snapshots/snapshotter.ts';
import type { StoredLayer } from '../../../../../vm/agent/state/images.ts';
import { findImage } from '../../../../../vm/agent/use-cases/find-image.ts';
import { matchesGlob } from '../../../../../vm/agent/use-cases/glob.ts';
import type { ImageParts } from '../../../../../vm/agent/use-cases/image-parts.ts';
import { imageHistory, inspectImage } from '../../../../../vm/agent/use-cases/inspect-image.ts';
import { listImages } from '../../../../../vm/agent/use-cases/list-images.ts';
import type { ImageFilters } from '../../../../../vm/agent/use-cases/list-images.ts';
import { pruneImages } from '../../../../../vm/agent/use-cases/prune-images.ts';
import { humanSize, progressBar } from '../../../../../vm/agent/use-cases/pull-progress.ts';
import { parsePullRequest } from '../../../../../vm/agent/use-cases/pull-request.ts';
import { removeImage } from '../../../../../vm/agent/use-cases/remove-image.ts';
import { tagImage } from '../../../../../vm/agent/use-cases/tag-image.ts';
import { MemoryImageRecords } from '../../../../helpers/memory-image-records.ts';

const digest = (text: string): string => `sha256:${text.repeat(64).slice(0, 64)}`;
const base: StoredLayer = { diffId: digest('a'), blobDigest: digest('ab'), blobBytes: 4, fileBytes: 1000 };
const web: StoredLayer = { diffId: digest('b'), blobDigest: digest('bb'), blobBytes: 4, fileBytes: 500 };
const [baseId, webId] = [digest('1'), digest('2')];

let records: MemoryImageRecords;
let users: ImageUser[];
let parts: ImageParts;
/** What is on the disk: blobs and layers by digest. */
let disk: Set<string>;

function put(id: string, layers: readonly StoredLayer[], created: string, extra: object): void {
  const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) };
  const configText = JSON.stringify({ architecture: 'amd64', os: 'linux', created, rootfs, ...extra });
  const manifestDigest = digest(`${id.slice(7, 8)}0`);
  records.put({ id, manifestDigest, configText, layers, storedAtMs: 5 });
  for (const each of [id, manifestDigest, ...layers.flatMap(({ diffId, blobDigest }) => [diffId, blobDigest])])
    disk.add(each);
}

function name(path: string, kind: 'tag' | 'digest', value: string, imageId: string): void {
  records.setName({ domain: 'docker.io', path, kind, value, imageId, namedAtMs: 86_400_000 });
}

/** Only what garbage collection asks of them. */
function stores(): { blobs: BlobStore; snapshotter: Snapshotter } {
  const layerIds = new Set([base.diffId, web.diffId, digest('f')]);
  const remove = (id: string): Promise<void> => {
    disk.delete(id);
    return Promise.resolve();
  };
  const blobs = {
    list: () => Promise.resolve([...disk].filter((id) => !layerIds.has(id))),
    size: () => Promise.resolve(1),
    remove,
  };
  const snapshotter = {
    layers: () => Promise.resolve([...disk].filter((id) => layerIds.has(id))),
    removeLayer: remove,
  };
  return { blobs: blobs as unknown as BlobStore, snapshotter: snapshotter as unknown as Snapshotter };
}

beforeEach(() => {
  records = new MemoryImageRecords();
  users = [];
  disk = new Set();
  put(baseId, [base], '2024-01-01T00:00:00Z', { config: { Labels: { kind: 'base' } } });
  put(webId, [base, web], '2024-06-01T00:00:00.5Z', {
    config: { Cmd: ['serve'], Labels: null },
    history: [
      { created: '2024-01-01T00:00:00Z', created_by: 'base' },
      { created: '2024-06-01T00:00:00Z', created_by: 'ENV', empty_layer: true },
      { created: '2024-06-01T00:00:00Z', created_by: 'web', comment: 'c' },
    ],
  });
  name('library/base', 'tag', '1', baseId);
  name('library/base', 'digest', digest('d'), baseId);
  name('me/web', 'tag', 'latest', webId);
  name('me/web', 'tag', 'two', webId);
  name('me/web', 'digest', digest('e'), webId);
  disk.add(digest('d')).add(digest('e'));
  parts = {
    ...stores(),
    records,
    leases: new Leases(),
    layers: undefined as never,
    program: undefined as never,
    platform: { os: 'linux', architecture: 'amd64' },
    connect: undefined as never,
    source: undefined as never,
    download: undefined as never,
    imageUsers: () => users,
    onEvent: () => undefined,
    nowMs: () => 9,
  };
});

describe('finding', () => {
  test('by name, digest, id and the start of an id', () => {
    const find = (text: string): string => findImage(records, text).image.id;
    for (const text of [
      'me/web',
      'me/web:two',
      'docker.io/me/web',
      `me/web@${digest('e')}`,
      webId,
      webId.slice(7),
      '222',
      'sha256:22',
    ]) {
      assert.equal(find(text), webId, text);
    }
    assert.throws(() => find('nope'), { code: 'not-found', message: 'No such image: nope:latest' });
    assert.throws(() => find('base'), { message: 'No such image: base:latest' });
    assert.throws(() => find(digest('9')), { message: `No such image: ${digest('9')}` });
    assert.throws(() => find('NOPE'), { code: 'invalid-parameter' });
  });
});

describe('listing', () => {
  const ids = (filters: ImageFilters): string[] =>
    listImages(records, { all: false, filters, sharedSize: false }).map(({ Id }) => Id);

  test("newest first, in Docker's shape", () => {
    assert.deepEqual(listImages(records, { all: false, filters: {}, sharedSize: true }), [
      {
        Containers: -1,
        Created: 1_717_200_000,
        Id: webId,
        Labels: null,
        ParentId: '',
        RepoDigests: [`me/web@${digest('e')}`],
        RepoTags: ['me/web:latest', 'me/web:two'],
        SharedSize: 1000,
        Size: 1500,
      },
      {
        Containers: -1,
        Created: 1_704_067_200,
        Id: baseId,
        Labels: { kind: 'base' },
        ParentId: '',
        RepoDigests: [`base@${digest('d')}`],
        RepoTags: ['base:1'],
        SharedSize: 1000,
        Size: 1000,
      },
    ]);
  });

  test('filters', () => {
    records.removeName({ domain: 'docker.io', path: 'library/base', kind: 'tag', value: '1' });
    assert.deepEqual(ids({ dangling: ['true'] }), [baseId]);
    assert.deepEqual(ids({ dangling: ['false'] }), [webId]);
    assert.deepEqual(ids({ label: ['kind'] }), [baseId]);
    assert.deepEqual(ids({ label: ['kind=other'] }), []);
    assert.deepEqual(ids({ before: ['me/web'] }), [baseId]);
    assert.deepEqual(ids({ since: [baseId] }), [webId]);
    assert.deepEqual(ids({ until: ['2024-03-01T00:00:00Z'] }), [baseId]);
    assert.deepEqual(ids({ reference: ['me/*'] }), [webId]);
    assert.deepEqual(ids({ reference: ['*'] }), [baseId]);
    const [only] = listImages(records, { all: false, filters: { reference: ['me/web:t*'] }, sharedSize: false });
    assert.deepEqual([only?.RepoTags, only?.RepoDigests], [['me/web:two'], []]);
    assert.throws(() => ids({ colour: ['red'] }), { code: 'invalid-parameter', message: "Invalid filter 'colour'" });
    assert.throws(() => ids({ before: ['nope'] }), { code: 'not-found' });
    assert.throws(() => ids({ until: ['soon'] }), { code: 'invalid-parameter' });
  });

  test('patterns', () => {
    assert.ok(matchesGlob('a*c', 'abbc'));
    assert.ok(!matchesGlob('a*', 'a/b'));
    assert.ok(matchesGlob('[a-c]?', 'bz'));
    assert.ok(matchesGlob('a\\*', 'a*'));
    assert.ok(!matchesGlob('a.c', 'abc'));
    assert.ok(matchesGlob('[', '['));
  });
});

describe('inspecting', () => {
  test('history gives sizes to the entries that made layers', () => {
    const entries = imageHistory(records, 'me/web');
    assert.deepEqual(
      entries.map(({ Id, Size, CreatedBy, Comment }) => [Id, Size, CreatedBy, Comment]),
      [
        [webId, 500, 'web', 'c'],
        ['<missing>', 0, 'ENV', ''],
        ['<missing>', 1000, 'base', ''],
      ],
    );
    assert.deepEqual(entries[0]?.Tags, ['me/web:latest', 'me/web:two']);
    assert.deepEqual(
      imageHistory(records, 'base:1').map(({ Size }) => Size),
      [1000],
    );
  });

  test('inspect has the fields that clients read', () => {
    const inspected = inspectImage(records, 'me/web') as {
      Config: object;
      Metadata: object;
      Size: number;
      Created: string;
    };
    assert.equal(inspected.Created, '2024-06-01T00:00:00.5Z');
    assert.equal(inspected.Size, 1500);
    assert.deepEqual(inspected.Metadata, { LastTagTime: '1970-01-02T00:00:00.000Z' });
    assert.deepEqual((inspected.Config as { Cmd: unknown }).Cmd, ['serve']);
  });
});

describe('removing', () => {
  const remove = (text: string, force = false) => removeImage(parts, text, { force });
  const container = (imageId: string, running: boolean): ImageUser => ({
    containerId: 'c'.repeat(64),
    imageId,
    running,
  });

  test('one name of several only goes itself; the last takes the image, and the layers nobody else has', async () => {
    assert.deepEqual(await remove('me/web:two'), [{ Untagged: 'me/web:two' }]);
    assert.deepEqual(await remove('me/web'), [
      { Untagged: 'me/web:latest' },
      { Untagged: `me/web@${digest('e')}` },
      { Deleted: webId },
      // The stack's name; the base below is still in use.
      { Deleted: 'sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c' },
    ]);
    assert.deepEqual([...disk].sort(), [baseId, base.diffId, base.blobDigest, digest('10'), digest('d')].sort());
  });

  test('by id, when all names are of one repository', async () => {
    await assert.rejects(remove(webId), {
      code: 'conflict',
      message:
        'conflict: unable to delete 222222222222 (must be forced) - image is referenced in multiple repositories',
    });
    assert.equal((await remove('222', true)).length, 5);
    assert.equal((await remove('111')).length, 4);
    assert.deepEqual([...disk], []);
  });

  test("a container stands in the way, in Docker's words", async () => {
    users = [container(baseId, false)];
    await assert.rejects(remove('base:1'), {
      message:
        'conflict: unable to remove repository reference "base:1" (must force) - container cccccccccccc is using its referenced image 111111111111',
    });
    await assert.rejects(remove(baseId), {
      message:
        'conflict: unable to delete 111111111111 (must be forced) - image is being used by stopped container cccccccccccc',
    });
    users = [container(baseId, true)];
    await assert.rejects(remove(baseId, true), {
      message:
        'conflict: unable to delete 111111111111 (cannot be forced) - image is being used by running container cccccccccccc',
    });
    assert.deepEqual(await remove('base:1', true), [{ Untagged: 'base:1' }, { Untagged: `base@${digest('d')}` }]);
    assert.ok(records.get(baseId), 'the container still needs it');
    users = [container(webId, true)];
    assert.deepEqual(await remove('me/web:two'), [{ Untagged: 'me/web:two' }]);
  });

  test('prune takes what has no tag; with all, what no container uses', async () => {
    records.removeName({ domain: 'docker.io', path: 'library/base', kind: 'tag', value: '1' });
    users = [container(baseId, false)];
    assert.deepEqual(await pruneImages(parts, {}), { ImagesDeleted: null, SpaceReclaimed: 0 });
    users = [];
    const first = await pruneImages(parts, {});
    assert.deepEqual(first.ImagesDeleted, [{ Untagged: `base@${digest('d')}` }, { Deleted: baseId }]);
    assert.equal(first.SpaceReclaimed, 0, 'its layer is still used');
    assert.equal((await pruneImages(parts, { dangling: ['false'], label: ['x'] })).ImagesDeleted, null);
    assert.equal((await pruneImages(parts, { dangling: ['false'] })).SpaceReclaimed, 1500);
    assert.deepEqual([...disk], []);
    await assert.rejects(pruneImages(parts, { colour: [] }), { code: 'invalid-parameter' });
  });

  test('what a pull is bringing is left alone', async () => {
    disk.add(digest('f')).add(digest('9'));
    const lease = parts.leases.hold([digest('f'), digest('9')]);
    await pruneImages(parts, { dangling: ['false'] });
    assert.deepEqual([...disk].sort(), [digest('9'), digest('f')].sort());
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    await pruneImages(parts, {});
    assert.deepEqual([...disk], []);
  });

  test('a tag may be added and moved', () => {
    tagImage(parts, 'base:1', { repo: 'me/web', tag: 'latest' });
    assert.equal(findImage(records, 'me/web').image.id, baseId);
    tagImage(parts, webId, { repo: 'plain', tag: '' });
    assert.equal(findImage(records, 'plain').image.id, webId);
    assert.throws(() => tagImage(parts, 'nope', { repo: 'x', tag: '' }), { code: 'not-found' });
    assert.throws(() => tagImage(parts, 'base:1', { repo: `x@${digest('1')}`, tag: '' }), /digest reference/);
  });
});

test('what a client asks to pull', () => {
  const host = { os: 'linux', architecture: 'amd64' };
  const parse = (fromImage: string, tag = '', platform = '') =>
    parsePullRequest({ fromImage, tag, platform, registryAuth: undefined }, host);
  assert.deepEqual(parse('x', '1').reference, { domain: 'docker.io', path: 'library/x', tag: '1', digest: undefined });
  assert.equal(parse('x:2', '1').reference.tag, '1');
  assert.equal(parse('x', digest('1')).reference.digest, digest('1'));
  assert.equal(parse('x').allTags, true);
  assert.equal(parse('x:1').allTags, false);
  assert.deepEqual(parse('x', '1', 'linux/arm64').platform, { os: 'linux', architecture: 'arm64', variant: undefined });
  for (const [image, tag, platform] of [
    ['X', '1', ''],
    ['x', 'a b', ''],
    ['x', '1', 'l/i/n/u'],
  ]) {
    assert.throws(() => parse(image ?? '', tag, platform), { code: 'invalid-parameter' });
  }
});

test('progress is drawn as Docker draws it', () => {
  assert.equal(progressBar(0, 0), '');
  assert.equal(progressBar(1_048_576, 0), ' 1.049MB');
  assert.equal(progressBar(0, 100), `[>${' '.repeat(50)}]       0B/100B`);
  assert.equal(progressBar(760_832, 29_637_100), `[=>${' '.repeat(49)}]  760.8kB/29.64MB`);
  assert.equal(progressBar(100, 100), `[${'='.repeat(50)}>]     100B/100B`);
  assert.equal(humanSize(999), '999B');
  assert.equal(humanSize(1_500_000_000), '1.5GB');
});
