/** What every `ImageRecords` must do; run on the one in memory and, in the guest, on SQLite. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ImageName, ImageRecords, StoredImage, StoredLayer } from '../../vm/agent/state/images.ts';

const digest = (text: string): string => `sha256:${text.repeat(64).slice(0, 64)}`;

function layer(name: string, fileBytes = 10): StoredLayer {
  return { diffId: digest(name), blobDigest: digest(`${name}b`), blobBytes: 5, fileBytes };
}

function image(name: string, layers: readonly StoredLayer[], created: string): StoredImage {
  const diffIds = layers.map(({ diffId }) => diffId);
  const config = { architecture: 'amd64', os: 'linux', created, rootfs: { type: 'layers', diff_ids: diffIds } };
  return {
    id: digest(name),
    manifestDigest: digest(`${name}0`),
    configText: JSON.stringify(config),
    layers,
    storedAtMs: 1,
  };
}

function name(value: string, imageId: string, kind: 'tag' | 'digest' = 'tag'): ImageName {
  return { domain: 'docker.io', path: 'library/x', kind, value, imageId, namedAtMs: 7 };
}

export function imageRecordsSuite(label: string, open: () => ImageRecords): void {
  describe(`image records: ${label}`, () => {
    const [shared, own, other] = [layer('a'), layer('b', 20), layer('c', 30)];
    const one = image('1', [shared, own], '2024-01-01T00:00:00Z');
    const two = image('2', [shared, other, shared], '2024-06-01T00:00:00Z');

    test('images come back as they were put, newest first', () => {
      const records = open();
      records.put(one);
      records.put(two);
      records.put(one);
      assert.deepEqual(
        records.all().map(({ id }) => id),
        [two.id, one.id],
      );
      const found = records.get(two.id);
      assert.ok(found);
      assert.deepEqual(found.layers, two.layers);
      assert.equal(found.config.created, '2024-06-01T00:00:00Z');
      assert.equal(found.configText, two.configText);
      assert.equal(records.get(digest('9')), undefined);
      assert.deepEqual(records.layer(own.diffId), own);
      assert.equal(records.layers().length, 3);
    });

    test('parents are kept and found', () => {
      const records = open();
      records.put(one);
      records.put({ ...two, parentId: one.id });
      records.put(two);
      assert.equal(records.get(one.id)?.parentId, undefined);
      assert.equal(records.get(two.id)?.parentId, one.id);
      assert.deepEqual(
        records.children(one.id).map(({ id }) => id),
        [two.id],
      );
      assert.deepEqual(records.children(''), []);
      records.remove(two.id);
      assert.deepEqual(records.children(one.id), []);
    });

    test('names move, and go with their image', () => {
      const records = open();
      records.put(one);
      records.put(two);
      records.setName(name('latest', one.id));
      records.setName(name('sha256:d', one.id, 'digest'));
      records.setName(name('b', two.id));
      assert.equal(records.find(name('latest', '')), one.id);
      records.setName(name('latest', two.id));
      assert.equal(records.find(name('latest', '')), two.id);
      assert.deepEqual(
        records.names().map(({ value }) => value),
        ['b', 'latest', 'sha256:d'],
      );
      assert.deepEqual(records.namesOf(two.id), [name('b', two.id), name('latest', two.id)]);
      records.removeName(name('b', ''));
      records.removeName(name('unknown', ''));
      records.remove(two.id);
      assert.deepEqual(records.names(), [name('sha256:d', one.id, 'digest')]);
      assert.equal(records.find(name('latest', '')), undefined);
      assert.throws(() => records.setName(name('x', digest('9'))), /FOREIGN KEY/);
    });

    test('a layer goes with the last image that has it', () => {
      const records = open();
      records.put(one);
      records.put(two);
      assert.deepEqual(records.remove(two.id), [other]);
      assert.deepEqual(records.layer(shared.diffId), shared);
      assert.deepEqual(new Set(records.remove(one.id)), new Set([shared, own]));
      assert.deepEqual(records.layers(), []);
      assert.deepEqual(records.remove(one.id), []);
    });

    test('a transaction that throws leaves nothing', () => {
      const records = open();
      records.put(one);
      const fails = (): void =>
        records.transaction(() => {
          records.put(two);
          records.setName(name('latest', two.id));
          throw new Error('power cut');
        });
      assert.throws(fails, /power cut/);
      assert.deepEqual(
        records.all().map(({ id }) => id),
        [one.id],
      );
      assert.deepEqual(records.names(), []);
      assert.equal(records.layer(other.diffId), undefined);
    });
  });
}
