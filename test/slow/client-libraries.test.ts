/** dockerode and docker-py, unmodified, against Wherry's socket: a scenario per noun. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { before, describe, test } from 'node:test';
import { busybox, dockerSuite, engine, home } from '../helpers/docker.ts';
import { runProgram } from '../helpers/wherry-cli.ts';

dockerSuite('dockerode and docker-py', () => {
  test('docker-py: every noun', { timeout: 300_000 }, async () => {
    const ended = await runProgram('python3', [path.join(import.meta.dirname, '../fixtures/docker-py.py'), busybox], {
      env: { DOCKER_HOST: home.dockerHost },
      timeoutMs: 280_000,
    });
    assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
    assert.match(ended.stdout, /events ok\n$/);
  });

  describe('dockerode', () => {
    before(async () => {
      const stream = await engine.pull(busybox);
      const seen: { status?: string }[] = [];
      await new Promise<void>((resolve, reject) => {
        engine.modem.followProgress(
          stream,
          (error) => (error === null ? resolve() : reject(error)),
          (progress: { status?: string }) => seen.push(progress),
        );
      });
      assert.ok(seen.some(({ status }) => status?.startsWith('Digest: sha256:')));
    });

    test('system', async () => {
      assert.equal(String(await engine.ping()), 'OK');
      assert.equal((await engine.version()).ApiVersion, '1.47');
      assert.equal(((await engine.info()) as { OSType: string }).OSType, 'linux');
    });

    test('images', async () => {
      const [found] = await engine.listImages({ filters: { reference: [busybox] } });
      assert.ok(found !== undefined);
      assert.ok(found.RepoTags?.includes(busybox));
      const one = engine.getImage(busybox);
      assert.equal((await one.inspect()).Id, found.Id);
      assert.ok(((await one.history()) as unknown[]).length > 0);
      await one.tag({ repo: 'dockerode/test', tag: 'one' });
      await engine.getImage('dockerode/test:one').remove();
      await assert.rejects(engine.getImage('dockerode/test:one').inspect(), { statusCode: 404 });
    });

    test('containers: create, attach, start, wait, logs, remove', async () => {
      const container = await engine.createContainer({
        Image: busybox,
        name: 'node-one',
        Cmd: ['sh', '-c', 'read word; echo "out $word"; echo err >&2; exit 5'],
        OpenStdin: true,
        StdinOnce: true,
      });
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      const [out, err] = [new PassThrough(), new PassThrough()];
      engine.modem.demuxStream(stream, out, err);
      stream.on('end', () => {
        out.end();
        err.end();
      });
      await container.start();
      stream.write('word\n');
      assert.deepEqual(await Promise.all([text(out), text(err)]), ['out word\n', 'err\n']);
      assert.deepEqual(await container.wait(), { StatusCode: 5 });
      const log = await container.logs({ stdout: true, stderr: false, follow: false });
      assert.match(log.toString(), /out word/);
      const inspected = await container.inspect();
      assert.deepEqual([inspected.State.ExitCode, inspected.Name], [5, '/node-one']);
      await container.remove();
      await assert.rejects(container.inspect(), { statusCode: 404, reason: 'no such container' });
    });

    test('containers: exec, statistics, top, pause, update, rename, restart, list, prune', async () => {
      const container = await engine.createContainer({
        Image: busybox,
        Cmd: ['sleep', '600'],
        Labels: { by: 'dockerode' },
      });
      await container.start();
      const exec = await container.exec({ Cmd: ['sh', '-c', 'echo $0; exit 7'], AttachStdout: true });
      const stream = await exec.start({});
      const out = new PassThrough();
      engine.modem.demuxStream(stream, out, out);
      stream.on('end', () => out.end());
      assert.equal(await text(out), 'sh\n');
      assert.equal((await exec.inspect()).ExitCode, 7);
      assert.ok(((await container.stats({ stream: false })).pids_stats?.current ?? 0) >= 1);
      const top = (await container.top()) as { Processes: string[][] };
      assert.ok(top.Processes.some((row) => row.join(' ').includes('sleep 600')));
      await container.pause();
      await container.unpause();
      await container.update({ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } });
      await container.rename({ name: 'node-two' });
      await container.restart({ t: 0 });
      const listed = await engine.listContainers({ filters: { label: ['by=dockerode'] } });
      assert.deepEqual(
        listed.map(({ Names, State }) => [Names, State]),
        [[['/node-two'], 'running']],
      );
      await container.stop({ t: 0 });
      const pruned = await engine.pruneContainers({ filters: { label: ['by=dockerode'] } });
      assert.deepEqual(pruned.ContainersDeleted, [container.id]);
    });

    test('volumes', async () => {
      await engine.createVolume({ Name: 'node-volume', Labels: { by: 'dockerode' } });
      const volume = engine.getVolume('node-volume');
      assert.equal((await volume.inspect()).Labels['by'], 'dockerode');
      const { Volumes } = await engine.listVolumes({ filters: { name: ['node-volume'] } });
      assert.equal(Volumes.length, 1);
      await volume.remove();
      await assert.rejects(volume.inspect(), { statusCode: 404 });
    });

    test('networks', async () => {
      const network = await engine.createNetwork({ Name: 'node-network', Labels: { by: 'dockerode' } });
      const container = await engine.createContainer({ Image: busybox, Cmd: ['sleep', '600'], name: 'node-three' });
      await container.start();
      await network.connect({ Container: container.id, EndpointConfig: { Aliases: ['three'] } });
      const { Containers } = (await network.inspect()) as { Containers: Record<string, { Name: string }> };
      assert.equal(Containers[container.id]?.Name, 'node-three');
      await assert.rejects(network.remove(), { statusCode: 403 });
      await network.disconnect({ Container: container.id });
      await container.remove({ force: true });
      assert.deepEqual((await engine.pruneNetworks({ filters: { label: ['by=dockerode'] } })).NetworksDeleted, [
        'node-network',
      ]);
    });

    test('events', async () => {
      const stream = await engine.getEvents({ filters: { type: ['volume'] } });
      await engine.createVolume({ Name: 'node-event' });
      await engine.getVolume('node-event').remove();
      const seen: string[] = [];
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        for (const line of chunk.toString().trim().split('\n'))
          seen.push((JSON.parse(line) as { Action: string }).Action);
        if (seen.length >= 2) break;
      }
      assert.deepEqual(seen, ['create', 'destroy']);
    });
  });
});
