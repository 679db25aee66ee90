/**
 * Images and what can happen to them: an agent killed and a VM that loses power in the middle of a pull. The registry is
 * slow on purpose, so that there is a middle.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startScriptedRegistry } from '../helpers/scripted-registry.ts';
import type { AddedImage, ScriptedRegistry } from '../helpers/scripted-registry.ts';
import { until } from '../helpers/until.ts';
import { collect, ok, WherryHome } from '../helpers/wherry-cli.ts';
import type { Ended } from '../helpers/wherry-cli.ts';

let home: WherryHome;
let registry: ScriptedRegistry;
/** Fast to pull; there before everything that goes wrong. */
let small: AddedImage;
/** Its second layer does not arrive while `slow`. */
let big: AddedImage;
const limit = { timeout: 5 * 60_000 };
let slow = true;
const isSlow = (): boolean => slow;

before(async () => {
  registry = await startScriptedRegistry();
  small = registry.addImage('small:1', [[{ name: 'file', data: 'kept' }]]);
  big = registry.addImage('big:1', [
    [{ name: 'a', data: randomBytes(200_000) }],
    [{ name: 'b', data: randomBytes(3_000_000) }],
  ]);
  const slowDigest = big.layers[1]?.digest ?? '';
  registry.intercept = async (request, response) => {
    if (!isSlow() || !(request.url ?? '').includes(slowDigest)) return false;
    const blob = registry.blobs.get(slowDigest) ?? Buffer.alloc(0);
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = { 'Content-Length': blob.length - from };
    if (from === 0) response.writeHead(200, headers);
    else response.writeHead(206, { ...headers, 'Content-Range': `bytes ${from}-${blob.length - 1}/${blob.length}` });
    // Half of it at once, then drop by drop: it neither ends nor stalls before the test is done with it.
    let at = Math.max(from, Math.floor(blob.length / 2));
    response.write(blob.subarray(from, at));
    for (; isSlow() && !response.destroyed; at += 100) {
      response.write(blob.subarray(at, at + 100));
      await sleep(500);
    }
    response.end(blob.subarray(at));
    return true;
  };
  home = await WherryHome.create();
  ok(await home.wherry(['up']));
  ok(await home.docker(['pull', name('small')]));
});

after(async () => {
  await home[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

test(
  'an agent killed during a pull: the images are there, and the next pull goes on from where it was',
  limit,
  async () => {
    const pulling = startPull();
    await middle();
    await inGuest('kill -9 $(cat /sys/fs/cgroup/wherry-agent/cgroup.procs)');
    const ended = await pulling;
    assert.notEqual(ended.code, 0, 'the interrupted pull says so');
    await until('the engine answers again', async () => (await home.docker(['images', '-q'])).code === 0);
    assert.deepEqual(await ids(), [small.configDigest]);
    registry.requests.length = 0;
    slow = false;
    ok(await home.docker(['pull', name('big')]));
    assert.ok(
      registry.requests.some((line) => line.includes(big.layers[1]?.digest ?? '-') && line.includes('[bytes=')),
      registry.requests.join('\n'),
    );
    assert.deepEqual(await ids(), [big.configDigest, small.configDigest].sort());
    ok(await home.docker(['rmi', name('big')]));
    slow = true;
  },
);

test('a VM that loses power during a pull: images and stopped containers are intact', limit, async () => {
  const container = ok(await home.docker(['create', '--name', 'stopped', name('small'), '/file']));
  const pulling = startPull();
  await middle();
  const record = JSON.parse(await readFile(path.join(home.path, 'vm', 'vm.json'), 'utf8')) as {
    process: { pid: number };
  };
  process.kill(record.process.pid, 'SIGKILL');
  assert.notEqual((await pulling).code, 0);
  ok(await home.wherry(['up']));
  assert.deepEqual(await ids(), [small.configDigest]);
  assert.equal(ok(await home.docker(['inspect', '-f', '{{.Id}}', 'stopped'])), container);
  const layer = `/var/lib/wherry/layers/${(small.layers[0]?.diffId ?? '').slice(7)}`;
  assert.equal(ok(await inGuest(`cat ${layer}/file`)), 'kept');
  const blob = (small.layers[0]?.digest ?? '').slice(7);
  const sum = ok(await inGuest(`sha256sum /var/lib/wherry/content/blobs/sha256/${blob}`));
  assert.equal(sum.split(' ')[0], blob);
  const halves = ok(await inGuest('ls /var/lib/wherry/layers'));
  assert.doesNotMatch(halves, /tmp-/);
  slow = false;
  ok(await home.docker(['pull', name('big')]));
  const big1 = (big.layers[1]?.digest ?? '').slice(7);
  const bigSum = ok(await inGuest(`sha256sum /var/lib/wherry/content/blobs/sha256/${big1}`));
  assert.equal(bigSum.split(' ')[0], big1);
  ok(await home.docker(['rm', 'stopped']));
});

function name(image: string): string {
  return `${registry.host}/${image}:1`;
}

function inGuest(script: string): Promise<Ended> {
  return home.wherry(['ssh', '--', 'sh', '-c', script]);
}

/** Of the images pulled here; the starter image is not counted. */
async function ids(): Promise<string[]> {
  const listed = ok(await home.docker(['images', '--no-trunc', '--format', '{{.Repository}} {{.ID}}']));
  const own = listed.split('\n').filter((line) => line.startsWith(registry.host));
  return own.map((line) => line.split(' ')[1] ?? '').sort();
}

async function startPull(): Promise<Ended> {
  registry.requests.length = 0;
  return collect(home.spawnDocker(['pull', name('big')]));
}

/** A part of the slow layer has gone out. */
async function middle(): Promise<void> {
  await until('the slow layer is asked for', () =>
    Promise.resolve(registry.requests.some((line) => line.includes(big.layers[1]?.digest ?? '-'))),
  );
  await sleep(2500);
}
