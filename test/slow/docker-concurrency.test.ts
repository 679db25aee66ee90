/** Many clients at once: every one gets its answer, none a 500, and nothing is left. dockerode fails a call for any status above 399. */
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Readable } from 'node:stream';
import { busybox, dockerSuite, engine, imageOf } from '../helpers/docker.ts';
import { tar } from '../helpers/tar.ts';

const limit = { timeout: 240_000 };

/** `docker run --rm` by its single calls; resolves with what was printed. */
async function runOnce(image: string, Cmd: string[]): Promise<string> {
  const container = await engine.createContainer({ Image: image, Cmd });
  await container.start();
  assert.deepEqual(await container.wait(), { StatusCode: 0 });
  const printed = await container.logs({ stdout: true, stderr: true, follow: false });
  await container.remove({ v: true });
  return printed.subarray(8).toString(); // after the stream's frame header
}

/** The engine removes it by itself; waits for that. */
async function runAutoRemoved(image: string): Promise<void> {
  const container = await engine.createContainer({ Image: image, Cmd: ['true'], HostConfig: { AutoRemove: true } });
  const removed = container.wait({ condition: 'removed' }) as Promise<unknown>;
  await container.start();
  assert.deepEqual(await removed, { StatusCode: 0 });
}

/** Reads a progress stream to its end and fails for an error in it. */
async function finished(progress: NodeJS.ReadableStream): Promise<string> {
  const printed = await text(progress);
  assert.doesNotMatch(printed, /"error/);
  return printed;
}

async function build(name: string): Promise<void> {
  const dockerfile = `FROM ${busybox}\nRUN echo shared > /shared\nRUN echo ${name} > /own\nCMD ["cat", "/shared", "/own"]\n`;
  const archive = Readable.from([tar({ name: 'Dockerfile', data: dockerfile })]);
  await finished(await engine.buildImage(archive, { t: `both:${name}`, rm: true }));
}

async function assertNoContainers(): Promise<void> {
  assert.deepEqual(await engine.listContainers({ all: true }), []);
}

dockerSuite('many at once', () => {
  test('50 containers are created, started, waited for, read and removed', limit, async () => {
    const printed = await Promise.all(Array.from({ length: 50 }, (_, n) => runOnce(busybox, ['echo', `number ${n}`])));
    assert.deepEqual(
      printed,
      Array.from({ length: 50 }, (_, n) => `number ${n}\n`),
    );
    await assertNoContainers();
  });

  test('containers that remove themselves, while others are listed, pruned and removed by force', limit, async () => {
    let over = false;
    const watch = async (): Promise<void> => {
      while (!over) {
        await engine.listContainers({ all: true });
        await engine.pruneContainers({ filters: { label: ['nobody=has-it'] } });
        await engine.df();
      }
    };
    const forced = async (): Promise<void> => {
      const container = await engine.createContainer({ Image: busybox, Cmd: ['sleep', '1000'] });
      await container.start();
      await container.remove({ force: true });
    };
    const watching = watch();
    const work = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? runAutoRemoved(busybox) : forced()));
    await Promise.all(work).finally(() => (over = true));
    await watching;
    await assertNoContainers();
  });

  test('a pull during prunes, beside two builds of one base', limit, async () => {
    const nginx = await imageOf('nginx');
    let over = false;
    const pruned = async (): Promise<void> => {
      while (!over) await engine.pruneImages();
    };
    const pruning = pruned();
    const pull = engine.pull(nginx).then(finished);
    await Promise.all([pull, build('left'), build('right')]).finally(() => (over = true));
    await pruning;
    assert.equal(
      await runOnce(nginx, ['cat', '/var/www/html/index.html']).then((page) => page.includes('Hello')),
      true,
    );
    assert.deepEqual(
      await Promise.all([runOnce('both:left', ['cat', '/own']), runOnce('both:right', ['cat', '/own'])]),
      ['left\n', 'right\n'],
    );
    await assertNoContainers();
    for (const name of ['both:left', 'both:right', nginx]) await engine.getImage(name).remove();
  });

  test('networks and volumes made and removed at once', limit, async () => {
    const one = async (n: number): Promise<void> => {
      const name = `crowd-${n}`;
      const [network] = await Promise.all([engine.createNetwork({ Name: name }), engine.createVolume({ Name: name })]);
      const container = await engine.createContainer({
        Image: busybox,
        Cmd: ['sleep', '1000'],
        HostConfig: { NetworkMode: name, Binds: [`${name}:/v`] },
      });
      await container.start();
      await container.remove({ force: true });
      await Promise.all([network.remove(), engine.getVolume(name).remove()]);
    };
    await Promise.all(Array.from({ length: 10 }, (_, n) => one(n)));
    await assertNoContainers();
    const { Volumes } = await engine.listVolumes();
    assert.deepEqual(Volumes, []);
  });
});
