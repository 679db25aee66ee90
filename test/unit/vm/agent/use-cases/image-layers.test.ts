/** Layers pulled and unpacked for real, compared by the real program. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '../../../../../vm/contract/errors.ts';
import type { LayerFolder } from '../../../../../vm/contract/wherry-api.ts';
import { imageLayers, layerFolder, searchImageLayers } from '../../../../../vm/agent/use-cases/image-layers.ts';
import { cannotUnpack, openTestStore } from '../../../../helpers/image-store.ts';
import { startScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import type { TarEntry } from '../../../../helpers/tar.ts';

const never = new AbortController().signal;

async function withImage(
  layers: readonly (readonly TarEntry[])[],
  work: (parts: Parameters<typeof imageLayers>[0], name: string) => Promise<void>,
): Promise<void> {
  await using registry = await startScriptedRegistry();
  await using store = await openTestStore();
  registry.addImage('x:1', layers);
  await store.pull(`${registry.host}/x:1`);
  await work(store.parts, `${registry.host}/x:1`);
}

const bytes = (count: number): Buffer => Buffer.alloc(count, 'x');
const counts = ({ entries }: LayerFolder): string[] =>
  entries
    .map((one) => {
      const { name, mode, change, added, modified, deleted, sizeBytes, deletedBytes } = one;
      const kind = (mode & 0o170000) === 0o040000 ? '/' : '';
      return `${name}${kind} ${change} +${added} ~${modified} -${deleted} ${sizeBytes} ${deletedBytes}`;
    })
    .sort();

const three: readonly (readonly TarEntry[])[] = [
  [
    { name: 'etc/', type: '5' },
    { name: 'etc/hosts', data: bytes(10) },
    { name: 'etc/motd', data: bytes(200) },
    { name: 'opt/old/one', data: bytes(1000) },
    { name: 'opt/old/two', data: bytes(2000) },
    { name: 'var/cache/a', data: bytes(5000) },
    { name: 'var/cache/b', data: bytes(1) },
    { name: 'swap', data: bytes(70) },
  ],
  [
    { name: 'etc/', type: '5' },
    { name: 'etc/hosts', data: bytes(30) },
    { name: 'etc/.wh.motd' },
    { name: 'opt/.wh.old' },
    { name: 'usr/bin/tool', data: bytes(400) },
    { name: 'usr/bin/alias', type: '1', link: 'usr/bin/tool' },
    { name: 'usr/bin/link', type: '2', link: 'tool' },
  ],
  [
    { name: 'etc/hosts', data: bytes(7) },
    { name: 'var/cache/.wh..wh..opq' },
    { name: 'var/cache/b', data: bytes(3) },
    { name: 'swap/inside', data: bytes(9) },
    { name: '.wh.never' },
  ],
];

describe('the layers of an image', { skip: cannotUnpack }, () => {
  test('what each adds, modifies and deletes, and what is wasted, largest first', async () => {
    await withImage(three, async (parts, name) => {
      const { layers, wasted } = await imageLayers(parts, name, never);
      assert.deepEqual(layers, [
        { added: 7, modified: 0, deleted: 0, sizeBytes: 8281, deletedBytes: 0 },
        { added: 3, modified: 1, deleted: 3, sizeBytes: 430, deletedBytes: 3200 },
        // The folder `swap` took the place of a file, whose version is wasted; a folder is no file.
        { added: 1, modified: 2, deleted: 1, sizeBytes: 19, deletedBytes: 5000 },
      ]);
      assert.deepEqual([wasted.files, wasted.sizeBytes], [8, 10 + 200 + 1000 + 2000 + 30 + 5000 + 1 + 70]);
      const told = wasted.largest.map(({ path, sizeBytes, layer, by, removed }) =>
        [path, sizeBytes, layer, by, removed ? 'removed' : 'replaced'].join(' '),
      );
      assert.deepEqual(told, [
        'var/cache/a 5000 0 2 removed',
        'opt/old/two 2000 0 1 removed',
        'opt/old/one 1000 0 1 removed',
        'etc/motd 200 0 1 removed',
        'swap 70 0 2 replaced',
        'etc/hosts 30 1 2 replaced',
        'etc/hosts 10 0 1 replaced',
        'var/cache/b 1 0 2 replaced',
      ]);
    });
  });

  test('a folder as one layer changes it, with the sums of what is beneath', async () => {
    await withImage(three, async (parts, name) => {
      const at = async (layer: number, path: string): Promise<string[]> =>
        counts(await layerFolder(parts, name, { layer, path }, never));
      assert.deepEqual(await at(1, '/'), [
        'etc/ unchanged +0 ~1 -1 30 200',
        'opt/ unchanged +0 ~0 -2 0 3000',
        'usr/ added +3 ~0 -0 400 0',
      ]);
      assert.deepEqual(await at(1, '/etc/'), ['hosts modified +0 ~1 -0 30 0', 'motd deleted +0 ~0 -1 0 200']);
      assert.deepEqual(await at(1, '/opt'), ['old/ deleted +0 ~0 -2 0 3000']);
      assert.deepEqual(await at(1, '/opt/old'), ['one deleted +0 ~0 -1 0 1000', 'two deleted +0 ~0 -1 0 2000']);
      // One of its two names has the bytes.
      const bin = await layerFolder(parts, name, { layer: 1, path: '/usr/bin' }, never);
      assert.deepEqual(bin.entries.map((entry) => entry.name).sort(), ['alias', 'link', 'tool']);
      assert.deepEqual(bin.entries.map(({ sizeBytes }) => sizeBytes).sort(), [0, 0, 400]);
      assert.deepEqual(await at(2, '/'), [
        'etc/ unchanged +0 ~1 -0 7 0',
        'swap/ modified +1 ~0 -0 9 0',
        'var/ unchanged +0 ~1 -1 3 5000',
      ]);
      assert.deepEqual(await at(2, '/var/cache'), ['a deleted +0 ~0 -1 0 5000', 'b modified +0 ~1 -0 3 0']);
      assert.deepEqual(await at(2, '/opt/old'), []);
      assert.deepEqual(await at(0, '/etc'), ['hosts added +1 ~0 -0 10 0', 'motd added +1 ~0 -0 200 0']);
    });
  });

  test('a search finds names in any layer, whatever the case, and paths when it has a slash', async () => {
    await withImage(three, async (parts, name) => {
      const find = async (text: string): Promise<string[]> =>
        (await searchImageLayers(parts, name, text, never)).hits.map(
          ({ layer, path, change, sizeBytes }) => `${layer} ${path} ${change} ${sizeBytes}`,
        );
      assert.deepEqual(await find('HOSTS'), [
        '0 etc/hosts added 10',
        '1 etc/hosts modified 30',
        '2 etc/hosts modified 7',
      ]);
      assert.deepEqual(await find('/old/t'), ['0 opt/old/two added 2000', '1 opt/old/two deleted 2000']);
      assert.deepEqual(await find('nothing like it'), []);
    });
  });

  test('a folder that a layer makes unreachable on the way to it', async () => {
    const layers: readonly (readonly TarEntry[])[] = [
      [{ name: 'a/b/c/file', data: bytes(5) }],
      [{ name: 'a/b', data: bytes(2) }],
      [{ name: '.wh.a' }],
      [{ name: 'a/b/c/again', data: bytes(6) }],
      [{ name: 'a/.wh..wh..opq' }, { name: 'a/x', data: bytes(1) }],
    ];
    await withImage(layers, async (parts, name) => {
      const at = async (layer: number): Promise<string[]> =>
        counts(await layerFolder(parts, name, { layer, path: '/a/b/c' }, never));
      assert.deepEqual(await at(0), ['file added +1 ~0 -0 5 0']);
      assert.deepEqual(await at(1), ['file deleted +0 ~0 -1 0 5']);
      assert.deepEqual(await at(2), []);
      assert.deepEqual(await at(3), ['again added +1 ~0 -0 6 0']);
      assert.deepEqual(await at(4), ['again deleted +0 ~0 -1 0 6']);
    });
  });

  test('a folder of very many files tells the largest, and how many more there are', async () => {
    const entries = Array.from({ length: 10_050 }, (_, index) => ({ name: `many/${index}`, data: bytes(index % 3) }));
    await withImage([[...entries, { name: 'many/big', data: bytes(999) }]], async (parts, name) => {
      const folder = await layerFolder(parts, name, { layer: 0, path: '/many' }, never);
      assert.deepEqual([folder.entries.length, folder.more], [10_000, 51]);
      assert.equal(folder.entries[0]?.name, 'big');
      assert.ok(folder.entries.filter(({ sizeBytes }) => sizeBytes > 0).length >= 6700);
      const found = await searchImageLayers(parts, name, '1', never);
      assert.deepEqual([found.hits.length, found.more], [1000, true]);
    });
  });

  test('names that nobody expects come as they are', async () => {
    const hostile = 'a"\\\n\u0007<b>\u202e';
    await withImage([[{ name: `${hostile}/x`, data: bytes(1) }]], async (parts, name) => {
      const root = await layerFolder(parts, name, { layer: 0, path: '/' }, never);
      assert.deepEqual(
        root.entries.map((entry) => entry.name),
        [hostile],
      );
      assert.equal((await layerFolder(parts, name, { layer: 0, path: `/${hostile}` }, never)).entries.length, 1);
    });
  });

  test('what is not there, in words; a cancelled question ends its program', async () => {
    await withImage(three, async (parts, name) => {
      const refuses = (code: EngineError['code'], words: RegExp) => (error: unknown) =>
        error instanceof EngineError && error.code === code && words.test(error.message);
      const at = (layer: number, path: string) => layerFolder(parts, name, { layer, path }, never);
      await assert.rejects(at(3, '/'), refuses('not-found', /no layer 3: it has 3/));
      await assert.rejects(at(-1, '/'), refuses('not-found', /no layer -1/));
      await assert.rejects(at(0, '/nowhere'), refuses('not-found', /no folder \/nowhere/));
      await assert.rejects(at(0, '/../..'), refuses('invalid-parameter', /leads out/));
      await assert.rejects(searchImageLayers(parts, name, '', never), refuses('invalid-parameter', /look for/));
      await assert.rejects(imageLayers(parts, 'no/such', never), refuses('not-found', /No such image/));
      const stop = new AbortController();
      const asked = imageLayers(parts, name, stop.signal);
      stop.abort(new Error('nobody waits'));
      await assert.rejects(asked, /nobody waits/);
    });
  });
});
