import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { assertStored, cannotUnpack, leftovers, openTestStore } from '../../../../helpers/image-store.ts';
import { mediaTypes, sendBlob, sendError, startScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import type { AddedImage, ScriptedRegistry } from '../../../../helpers/scripted-registry.ts';

/** Does not compress, so that there is time to interfere. */
const noise = randomBytes(600_000);

describe('pulling', { skip: cannotUnpack, timeout: 60_000 }, () => {
  test('brings layers, records the image and says so as Docker does', async () => {
    await using registry = await startScriptedRegistry();
    await using store = await openTestStore();
    const image = registry.addImage('x:latest', [[{ name: 'a', data: 'a' }], [{ name: 'b', data: noise }]]);
    const lines = await store.pull(`${registry.host}/x`);
    const [first, second] = image.layers.map(({ digest }) => digest.slice(7, 19));
    assert.deepEqual(lines[0], { status: 'Pulling from x', id: 'latest' });
    assert.deepEqual(lines[1], { status: 'Pulling fs layer', progressDetail: {}, id: first });
    assert.deepEqual(lines.slice(-2), [
      { status: `Digest: ${image.manifestDigest}` },
      { status: `Status: Downloaded newer image for ${registry.host}/x:latest` },
    ]);
    const words = lines.filter(({ id }) => id === second).map(({ status }) => status);
    const order = [
      'Pulling fs layer',
      'Waiting',
      'Downloading',
      'Verifying Checksum',
      'Download complete',
      'Pull complete',
    ];
    assert.deepEqual(
      [...new Set(words)].filter((word) => word !== 'Extracting'),
      order,
    );
    assertStored(store, image);
    assert.deepEqual(
      store.events.map(({ action }) => action),
      ['pull'],
    );

    const again = await store.pull(`${registry.host}/x`);
    assert.deepEqual(again.map(({ status }) => status).slice(1, 3), ['Already exists', 'Already exists']);
    assert.equal(again.at(-1)?.status, `Status: Image is up to date for ${registry.host}/x:latest`);
    assert.equal(registry.requests.filter((line) => line.includes(image.layers[1]?.digest ?? '')).length, 1);
  });

  test('chooses from an index, and by digest', async () => {
    await using registry = await startScriptedRegistry();
    await using store = await openTestStore();
    const wanted = registry.addImage('m:amd', [[{ name: 'amd64' }]]);
    const other = registry.addImage('m:arm', [[{ name: 'arm64' }]]);
    const entry = (image: AddedImage, architecture: string) => ({
      ...{ mediaType: mediaTypes.manifest, digest: image.manifestDigest, size: image.manifestSize },
      platform: { os: 'linux', architecture },
    });
    const manifests = [entry(other, 'arm64'), entry(wanted, 'amd64')];
    const index = registry.addManifest('m:latest', { schemaVersion: 2, manifests }, mediaTypes.index);
    const lines = await store.pull(`${registry.host}/m`);
    assert.ok(lines.some(({ status }) => status === `Digest: ${index}`));
    assert.equal(store.parts.records.all()[0]?.id, wanted.configDigest);
    await store.pull(`${registry.host}/m@${other.manifestDigest}`);
    assert.equal(store.parts.records.all().length, 2);

    registry.addManifest('only:latest', { schemaVersion: 2, manifests: [entry(other, 's390x')] }, mediaTypes.index);
    await rejects(store.pull(`${registry.host}/only`), 'not-found', /no matching manifest for linux\/amd64/);
  });

  test('two at once share one download', async () => {
    await using registry = await startScriptedRegistry();
    await using store = await openTestStore();
    const image = registry.addImage('x:1', [[{ name: 'a', data: noise }]]);
    registry.addImage('y:1', [[{ name: 'a', data: noise }]], { labels: { other: 'config' } });
    registry.intercept = slowly(registry);
    await Promise.all([store.pull(`${registry.host}/x:1`), store.pull(`${registry.host}/y:1`)]);
    assert.equal(registry.requests.filter((line) => line.includes(image.layers[0]?.digest ?? '')).length, 1);
    assert.equal(store.parts.records.all().length, 2);
    assert.deepEqual(leftovers(store), []);
  });

  test('one of two that leaves does not disturb the other; when both leave, the download ends and can go on later', async () => {
    await using registry = await startScriptedRegistry();
    await using store = await openTestStore();
    const image = registry.addImage('x:1', [[{ name: 'a', data: noise }]]);
    const layer = image.layers[0]?.digest ?? '';
    registry.intercept = slowly(registry);
    const leaver = new AbortController();
    const leave = (line: { status?: string }): void => {
      if (line.status === 'Downloading') leaver.abort(new Error('gone'));
    };
    const left = assert.rejects(store.pull(`${registry.host}/x:1`, { signal: leaver.signal, report: leave }), /gone/);
    await store.pull(`${registry.host}/x:1`);
    await left;
    assertStored(store, image);

    await using second = await openTestStore();
    const controller = new AbortController();
    const cancel = (line: { progressDetail?: { current?: number } }): void => {
      if ((line.progressDetail?.current ?? 0) > 100_000) controller.abort(new Error('cancelled'));
    };
    await assert.rejects(
      second.pull(`${registry.host}/x:1`, { signal: controller.signal, report: cancel }),
      /cancelled/,
    );
    await until(async () => (await second.parts.snapshotter.layers()).length === 0 && leftovers(second).length === 0);
    const kept = await second.parts.blobs.partialSize(layer);
    assert.ok(kept > 0, 'what was downloaded is kept');
    assert.equal(second.parts.records.all().length, 0);
    registry.intercept = () => false;
    registry.requests.length = 0;
    const reopened = await second.reopen();
    await reopened.pull(`${registry.host}/x:1`);
    assert.ok(registry.requests.includes(`GET /v2/x/blobs/${layer} [bytes=${kept}-]`), registry.requests.join('\n'));
    assertStored(reopened, image);
  });

  test('what was kept but is wrong is fetched again', async () => {
    await using registry = await startScriptedRegistry();
    await using store = await openTestStore();
    const image = registry.addImage('x:1', [[{ name: 'a', data: noise }]]);
    writeFileSync(store.parts.blobs.partial(image.layers[0]?.digest ?? ''), randomBytes(5000));
    await store.pull(`${registry.host}/x:1`);
    assertStored(store, image);
  });

  test('a broken connection is resumed, with a server that knows ranges and with one that does not', async () => {
    for (const knowsRanges of [true, false]) {
      await using registry = await startScriptedRegistry();
      await using store = await openTestStore();
      const image = registry.addImage('x:1', [[{ name: 'a', data: noise }]]);
      const layer = image.layers[0]?.digest ?? '';
      const blob = registry.blobs.get(layer) ?? Buffer.alloc(0);
      let cuts = 0;
      registry.intercept = (request, response) => {
        if (!(request.url ?? '').includes(layer)) return false;
        cuts += 1;
        if (cuts > 3) sendBlob(response, blob, knowsRanges ? request.headers.range : undefined);
        else {
          response.writeHead(200, { 'Content-Length': blob.length });
          response.write(blob.subarray(0, cuts * 100_000), () => setTimeout(() => response.destroy(), 20));
        }
        return true;
      };
      await store.pull(`${registry.host}/x:1`);
      assertStored(store, image);
      assert.equal(cuts, 4);
    }
  });

  test('a registry that has trouble is asked again, but not for ever', async () => {
    await using registry = await startScriptedRegistry();
    await using store = await openTestStore();
    const image = registry.addImage('x:1', [[{ name: 'a' }]]);
    let answers = 0;
    registry.intercept = (_request, response) => {
      answers += 1;
      if (answers % 2 === 0) return false;
      sendError(response, answers === 1 ? 429 : 503, undefined, { 'Retry-After': '0' });
      return true;
    };
    await store.pull(`${registry.host}/x:1`);
    assertStored(store, image);
    registry.intercept = (_request, response) => {
      sendError(response, 500);
      return true;
    };
    registry.requests.length = 0;
    await rejects(store.pull(`${registry.host}/x:2`), 'system', /received unexpected HTTP status: 500/);
    assert.equal(registry.requests.length, 5);
  });
});

/** Blobs in pieces with pauses. */
function slowly(registry: ScriptedRegistry): ScriptedRegistry['intercept'] {
  return async (request, response) => {
    const digest = /blobs\/(sha256:[a-f0-9]+)$/.exec(request.url ?? '')?.[1] ?? '';
    const blob = registry.blobs.get(digest);
    if (blob === undefined || blob.length < 100_000) return false;
    response.writeHead(200, { 'Content-Length': blob.length });
    for (let at = 0; at < blob.length && !response.destroyed; at += 50_000) {
      response.write(blob.subarray(at, at + 50_000));
      await delay(10);
    }
    response.end();
    return true;
  };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries > 400) assert.fail('it did not come to rest');
    await delay(10);
  }
}

async function rejects(promise: Promise<unknown>, code: string | undefined, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, message);
    if (code !== undefined) assert.equal((error as { code?: string }).code, code);
    return true;
  });
}
