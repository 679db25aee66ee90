import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullProgress } from '../../../../src-main/engine/api.ts';
import { sumLayers } from '../../../../src-main/contract/tasks.ts';
import { emptyTotals, foldPull, layerFraction, pullFraction } from '../../../../src-main/tasks/pull-progress.ts';
import { speedOf } from '../../../../src-main/tasks/speed.ts';

const item = (layer: string, status: string, currentBytes?: number, totalBytes?: number): PullProgress => ({
  layer,
  status,
  ...(currentBytes === undefined ? {} : { currentBytes }),
  ...(totalBytes === undefined ? {} : { totalBytes }),
});

test('a layer goes from waiting to done and never backwards over its phases', () => {
  let totals = emptyTotals;
  const fractions: number[] = [];
  for (const next of [
    item('a', 'Pulling fs layer'),
    item('a', 'Downloading', 50, 100),
    item('a', 'Downloading', 100, 100),
    item('a', 'Verifying Checksum'),
    item('a', 'Download complete'),
    item('a', 'Extracting', 50, 100),
    item('a', 'Extracting', 100, 100),
    item('a', 'Pull complete'),
  ]) {
    totals = foldPull(totals, [next], 0);
    const layer = totals.layers.get('a');
    assert.ok(layer);
    fractions.push(layerFraction(layer));
  }
  assert.deepEqual(
    fractions,
    [...fractions].sort((a, b) => a - b),
  );
  assert.equal(fractions[0], 0);
  assert.equal(fractions.at(-1), 1);
  assert.equal(pullFraction(totals), 1);
});

test('layers that were here count as nothing to do', () => {
  const here = foldPull(emptyTotals, [item('a', 'Already exists'), item('b', 'Already exists')], 0);
  assert.equal(pullFraction(here), 1);
  const half = foldPull(here, [item('c', 'Downloading', 50, 100)], 0);
  assert.ok((pullFraction(half) ?? 1) < 0.5);
  assert.deepEqual(sumLayers(half.layers.values()), { downloaded: 50, size: 100 });
});

test('messages about the whole are kept apart from layers', () => {
  const totals = foldPull(
    emptyTotals,
    [
      item('latest', 'Pulling from library/nginx'),
      item('', 'Digest: sha256:abc'),
      item('', 'Status: Downloaded newer image'),
    ],
    0,
  );
  assert.equal(totals.layers.size, 0);
  assert.equal(totals.digest, 'sha256:abc');
  assert.equal(totals.message, 'Status: Downloaded newer image');
  assert.equal(pullFraction(totals), undefined);
});

test('the speed is that of the last seconds, and none when nothing moves', () => {
  let totals = emptyTotals;
  for (let second = 0; second <= 10; second += 1) {
    totals = foldPull(totals, [item('a', 'Downloading', second * 1000, 100_000)], second * 1000);
  }
  assert.equal(speedOf(totals.samples), 1000);
  totals = foldPull(totals, [item('a', 'Downloading', 10_000, 100_000)], 20_000);
  assert.equal(speedOf(totals.samples), undefined);
});

test('a push tells what goes, what was there, and the digest', () => {
  const totals = foldPull(
    emptyTotals,
    [
      item('', 'The push refers to repository [localhost:5000/web]'),
      item('a', 'Preparing'),
      item('b', 'Preparing'),
      item('a', 'Pushing', 30, 100),
      item('b', 'Layer already exists'),
      item('', 'latest: digest: sha256:abc size: 528'),
      item('', ''),
    ],
    0,
  );
  assert.equal(totals.layers.get('a')?.phase, 'sending');
  assert.equal(totals.layers.get('b')?.existed, true);
  assert.equal(pullFraction(totals), 0.3);
  assert.equal(totals.digest, 'sha256:abc');
  assert.match(totals.message, /digest/);
  assert.equal(pullFraction(foldPull(totals, [item('a', 'Pushed')], 1)), 1);
});
