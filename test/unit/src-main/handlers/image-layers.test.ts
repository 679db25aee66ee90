/** What is in the layers of an image, in the window's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json } from '../../../helpers/fake-engine.ts';
import { startHandlers } from '../../../helpers/started-handlers.ts';

const sums = { added: 1, modified: 0, deleted: 0, sizeBytes: 10, deletedBytes: 0 };
const layers = '/wherry/v1/images/sha256%3Aab/layers';

test('layers, and what is wasted with the paths as people write them', async (t) => {
  const wasted = { path: 'etc/x', sizeBytes: 5, layer: 0, by: 1, removed: true };
  const { client } = await startHandlers(t, {
    [`GET ${layers}`]: (_request, response) =>
      json(response, 200, { layers: [sums], wasted: { files: 3, sizeBytes: 9, largest: [wasted] } }),
  });
  assert.deepEqual(await client.call('images.layers', { id: 'sha256:ab' }), {
    layers: [sums],
    wasted: { files: 3, sizeBytes: 9, largest: [{ ...wasted, path: '/etc/x' }] },
  });
});

test('a folder of a layer: largest first, what is deleted counts', async (t) => {
  const entry = (name: string, mode: number, values: object) => ({ ...sums, name, mode, change: 'added', ...values });
  const { engine, client } = await startHandlers(t, {
    [`GET ${layers}/files`]: (_request, response) =>
      json(response, 200, {
        entries: [
          entry('b', 0o100644, {}),
          entry('a', 0o120777, {}),
          entry('etc', 0o040755, { change: 'unchanged', sizeBytes: 5, deletedBytes: 20 }),
          entry('gone', 0o100644, { change: 'deleted', sizeBytes: 0, deletedBytes: 11 }),
        ],
        more: 4,
      }),
  });
  const folder = await client.call('images.layerFolder', { id: 'sha256:ab', layer: 2, path: '/a b' });
  assert.deepEqual(
    folder.entries.map(({ name, kind, change }) => [name, kind, change]),
    [
      ['etc', 'folder', 'unchanged'],
      ['gone', 'file', 'deleted'],
      ['a', 'link', 'added'],
      ['b', 'file', 'added'],
    ],
  );
  assert.equal(folder.more, 4);
  assert.ok(engine.requests.includes(`GET ${layers}/files?layer=2&path=%2Fa+b`));
  const wrong = [
    { layer: -1, path: '/' },
    { layer: 0.5, path: '/' },
    { layer: 0, path: 'relative' },
  ] as const;
  for (const one of wrong) {
    await assert.rejects(client.call('images.layerFolder', { id: 'x', ...one }), { code: 'invalid-input' });
  }
});

test('a search; an engine that cannot tell says why', async (t) => {
  const hit = { path: 'etc/x', layer: 1, mode: 0o100644, change: 'deleted', sizeBytes: 5 };
  const { client } = await startHandlers(t, {
    [`GET ${layers}/search`]: (_request, response) => json(response, 200, { hits: [hit], more: true }),
    [`GET ${layers}`]: (_request, response) => json(response, 501, { message: 'overlayfs is needed' }),
  });
  assert.deepEqual(await client.call('images.searchLayers', { id: 'sha256:ab', text: 'x' }), {
    hits: [{ path: '/etc/x', layer: 1, kind: 'file', change: 'deleted', sizeBytes: 5 }],
    more: true,
  });
  await assert.rejects(client.call('images.layers', { id: 'sha256:ab' }), /overlayfs is needed/);
  await assert.rejects(client.call('images.searchLayers', { id: 'x', text: '' }), { code: 'invalid-input' });
});
