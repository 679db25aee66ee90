/** The stock docker CLI and archives: files into and out of containers, images as files and in registries. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { busybox, docker, dockerSuite, home, registry } from '../helpers/docker.ts';
import { until } from '../helpers/until.ts';
import { collect, ok, runProgram } from '../helpers/wherry-cli.ts';

let folder: string;

/** A folder here, for one test. */
async function scratch(): Promise<string> {
  return mkdtemp(path.join(folder, 'test-'));
}

/** A container that sleeps. */
const run = (name: string, ...args: string[]): Promise<string> =>
  docker('run', '-d', '--name', name, '--stop-timeout', '0', ...args, busybox, 'sleep', '1000');

/** What a command in a running container prints. */
const sh = (name: string, script: string): Promise<string> => docker('exec', name, 'sh', '-c', script);

async function refused(message: RegExp, ...args: string[]): Promise<void> {
  const ended = await home.docker(args);
  assert.notEqual(ended.code, 0, `${args.join(' ')} succeeded`);
  assert.match(ended.stderr, message);
}

dockerSuite('archives', () => {
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'wherry-archives-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  describe('cp', () => {
    test('files, folders and links, both ways, running and stopped', async () => {
      const here = await scratch();
      await mkdir(`${here}/tree/deep`, { recursive: true });
      await writeFile(`${here}/tree/deep/file`, 'deep\n');
      await writeFile(`${here}/tree/script`, '#!/bin/sh\necho ran\n');
      await chmod(`${here}/tree/script`, 0o755);
      await symlink('deep/file', `${here}/tree/link`);
      await run('box');
      await docker('cp', `${here}/tree`, 'box:/opt');
      assert.equal(await sh('box', 'cat /opt/deep/file; /opt/script; readlink /opt/link'), 'deep\nran\ndeep/file');
      await docker('cp', `${here}/tree/.`, 'box:/opt/deep');
      assert.equal(await sh('box', 'ls /opt/deep'), 'deep\nfile\nlink\nscript');
      await docker('cp', `${here}/tree/script`, 'box:/opt/renamed');
      assert.equal(await sh('box', '/opt/renamed'), 'ran');
      await docker('cp', 'box:/opt', `${here}/back`);
      assert.equal(await readFile(`${here}/back/deep/file`, 'utf8'), 'deep\n');
      assert.equal(await readlink(`${here}/back/link`), 'deep/file');
      await docker('stop', 'box');
      await docker('cp', 'box:/opt/deep/file', `${here}/single`);
      assert.equal(await readFile(`${here}/single`, 'utf8'), 'deep\n');
      await docker('cp', `${here}/tree/deep/file`, 'box:/while-stopped');
      await docker('start', 'box');
      assert.equal(await sh('box', 'cat /while-stopped; stat -c %u:%g /while-stopped /opt'), 'deep\n0:0\n0:0');
      await docker('create', '--name', 'fresh', busybox, 'cat', '/early');
      await docker('cp', `${here}/single`, 'fresh:/early');
      assert.equal(await docker('start', '-a', 'fresh'), 'deep');
      await docker('cp', 'fresh:/', `${here}/root`);
      assert.equal(await readFile(`${here}/root/early`, 'utf8'), 'deep\n');
    });

    test('links are followed inside the container only, and -L follows the last one', async () => {
      const here = await scratch();
      await run('box');
      await sh('box', 'mkdir /a; echo in > /a/f; ln -s ../../../../a /esc; ln -s /a/f /l1; ln -s l1 /l2');
      await docker('cp', '-L', 'box:/l2', `${here}/followed`);
      assert.equal(await readFile(`${here}/followed`, 'utf8'), 'in\n');
      await docker('cp', 'box:/l2', `${here}/link`);
      assert.equal(await readlink(`${here}/link`), 'l1');
      await docker('cp', `${here}/followed`, 'box:/esc/');
      await docker('cp', `${here}/followed`, 'box:/l2');
      assert.equal(await sh('box', 'cat /a/followed /a/f'), 'in\nin');
      await sh('box', 'ln -s / /host; ln -s /etc/shadow /secret');
      await refused(
        /Could not find the file \/host\/var\/lib\/wherry|Could not find the file/,
        'cp',
        'box:/host/usr/lib/wherry/agent.js',
        here,
      );
      await refused(/Could not find the file|no such file/, 'cp', '-L', 'box:/secret', here);
    });

    test('volumes, read-only ones, binds and memory file systems as the container sees them', async () => {
      const here = await scratch();
      await writeFile(`${here}/f`, 'volume\n');
      await run('box', '-v', 'vol:/v', '-v', 'vol:/ro:ro', '--tmpfs', '/t', '--user', '7:8');
      await docker('cp', `${here}/f`, 'box:/v/f');
      assert.equal(await sh('box', 'cat /ro/f; stat -c %u:%g /v/f'), 'volume\n0:0');
      await docker('cp', '-a', `${here}/f`, 'box:/v/owned');
      assert.equal(await sh('box', 'stat -c %u:%g /v/owned'), '7:8');
      await docker('cp', `${here}/f`, 'box:/t/f');
      await docker('cp', 'box:/t/f', `${here}/from-memory`);
      assert.equal(await readFile(`${here}/from-memory`, 'utf8'), 'volume\n');
      await refused(/marked read-only/, 'cp', `${here}/f`, 'box:/ro/g');
      await docker('stop', 'box');
      await docker('cp', `${here}/f`, 'box:/v/stopped');
      await docker('cp', 'box:/ro/stopped', `${here}/g`);
      await refused(/mounted volume is marked read-only/, 'cp', `${here}/f`, 'box:/ro/g');
      assert.equal(await docker('run', '--rm', '-v', 'vol:/v', busybox, 'stat', '-c', '%u:%g', '/v/stopped'), '0:0');
      await docker('create', '--name', 'locked', '--read-only', busybox);
      await refused(/container rootfs is marked read-only/, 'cp', `${here}/f`, 'locked:/f');
    });

    test('archives by standard input and output', async () => {
      const here = await scratch();
      await run('box');
      await mkdir(`${here}/src`);
      await writeFile(`${here}/src/f`, 'piped\n');
      const host = home.dockerHost;
      const piped = (script: string): Promise<{ code: number; stdout: string; stderr: string }> =>
        runProgram('sh', ['-c', script]);
      ok(
        await piped(`tar -C ${here}/src --owner=12 --group=34 -cf - f | docker -H ${host} cp - box:/opt 2>&1 || true`),
      );
      await sh('box', 'mkdir -p /opt');
      ok(await piped(`tar -C ${here}/src --owner=12 --group=34 -cf - f | docker -H ${host} cp - box:/opt`));
      assert.equal(await sh('box', 'stat -c %u:%g /opt/f'), '12:34');
      ok(await piped(`tar -C ${here}/src -czf - f | docker -H ${host} cp - box:/tmp`));
      assert.equal(await sh('box', 'cat /tmp/f'), 'piped');
      assert.equal(ok(await piped(`docker -H ${host} cp box:/opt - | tar -tf -`)), 'opt/\nopt/f');
      const large = ok(
        await piped(`docker -H ${host} exec box sh -c 'dd if=/dev/urandom of=/big bs=1M count=8 2>/dev/null; sha256sum < /big'
        docker -H ${host} cp box:/big - | tar -xOf - | sha256sum`),
      ).split('\n');
      assert.equal(large[0], large[1]);
    });

    test('what cannot be is refused in Docker’s words', async () => {
      const here = await scratch();
      await writeFile(`${here}/f`, 'f');
      await mkdir(`${here}/etc`);
      await run('box');
      await refused(/Could not find the file \/nope in container box/, 'cp', 'box:/nope', here);
      await refused(/No such container: nobody/, 'cp', 'nobody:/etc', here);
      await refused(
        /Could not find the file \/no\/such in container box|no such directory/,
        'cp',
        `${here}/f`,
        'box:/no/such/',
      );
      await refused(/not a directory/, 'cp', 'box:/bin/busybox/', here);
      await refused(
        /cannot overwrite (directory|non-directory)|cannot copy directory|not a directory/,
        'cp',
        `${here}/etc`,
        'box:/bin/busybox',
      );
      const garbage = await home.docker(['cp', '-', 'box:/tmp'], { input: 'this is not an archive'.repeat(100) });
      assert.notEqual(garbage.code, 0);
    });

    test('a copy that is cut off leaves no process and no mount, and the container starts', async () => {
      await docker('create', '--name', 'box', busybox, 'sleep', '1000');
      const child = home.spawnDocker(['cp', '-', 'box:/']);
      const ended = collect(child);
      child.stdin?.write(Buffer.alloc(512)); // a start of something that does not go on
      await sleep(500);
      await docker('start', 'box');
      child.stdin?.on('error', () => undefined);
      child.stdin?.end();
      await ended;
      const slow = home.spawnDocker(['cp', 'box:/', '-']);
      await once(slow.stdout ?? slow, 'readable');
      slow.kill('SIGKILL');
      const left = (): Promise<string> =>
        docker(
          'run',
          '--rm',
          '--pid',
          'host',
          '--userns',
          'host',
          busybox,
          'sh',
          '-c',
          'ps -o args | grep "[u]npack files" || true',
        );
      await until('no program is left', async () => (await left()) === '');
      const names = await readdir(folder);
      assert.ok(names.length > 0);
    });
  });

  describe('export and import', () => {
    test('a root file system goes out and comes back as an image, running or stopped', async () => {
      const here = await scratch();
      await run('box', '-v', 'vol:/v');
      await sh('box', 'echo made > /made; chown 3:4 /made; echo hidden > /v/hidden');
      await docker('export', '-o', `${here}/running.tar`, 'box');
      const { stdout: names } = await runProgram('tar', ['-tvf', `${here}/running.tar`, '--numeric-owner']);
      assert.match(names, /^-rw-r--r-- 3\/4 .* made$/m);
      assert.match(names, /^drwx.* v\/$/m);
      assert.doesNotMatch(names, /hidden|proc\/1/);
      await docker('stop', 'box');
      await docker('export', '-o', `${here}/stopped.tar`, 'box');
      const id = await docker(
        'import',
        '-c',
        'CMD ["cat", "/made"]',
        '-m',
        'by a test',
        `${here}/stopped.tar`,
        'came:back',
      );
      assert.match(id, /^sha256:[0-9a-f]{64}$/);
      assert.equal(await docker('run', '--rm', 'came:back'), 'made');
      assert.equal(await docker('run', '--rm', 'came:back', 'stat', '-c', '%u:%g', '/made'), '3:4');
      assert.match(await docker('history', '--no-trunc', 'came:back'), /by a test/);
      await refused(/no such container/i, 'export', '-o', `${here}/none.tar`, 'nobody');
      await docker('rmi', 'came:back');
    });
  });

  describe('save and load', () => {
    test('round trips through files, with skopeo on both sides', async () => {
      const here = await scratch();
      const id = await docker('images', '-q', '--no-trunc', busybox);
      await docker('tag', busybox, 'saved/app:1');
      await docker('tag', busybox, 'saved/app:2');
      await docker('save', '-o', `${here}/saved.tar`, 'saved/app:1', 'saved/app:2');
      const inspected = await runProgram('skopeo', [
        'inspect',
        '--raw',
        `docker-archive:${here}/saved.tar:saved/app:1`,
      ]);
      assert.equal((JSON.parse(inspected.stdout) as { config: { digest: string } }).config.digest, id);
      await docker('rmi', 'saved/app:1', 'saved/app:2', busybox);
      assert.equal(
        await docker('load', '-i', `${here}/saved.tar`),
        'Loaded image: saved/app:1\nLoaded image: saved/app:2',
      );
      assert.equal(await docker('images', '-q', '--no-trunc', 'saved/app:2'), id);
      assert.equal(await docker('run', '--rm', 'saved/app:2', 'echo', 'runs'), 'runs');
      ok(
        await runProgram('skopeo', [
          ...['--insecure-policy', 'copy', '--quiet', '--src-tls-verify=false'],
          ...[`docker://${registry.host}/busybox:latest`, `oci-archive:${here}/oci.tar:from/skopeo:3`],
        ]),
      );
      assert.equal(await docker('load', '-i', `${here}/oci.tar`), 'Loaded image: from/skopeo:3');
      const broken = await home.docker(['load'], { input: 'no archive at all'.repeat(99) });
      assert.notEqual(broken.code, 0);
      await docker('rmi', 'saved/app:1', 'saved/app:2', 'from/skopeo:3');
      await docker('pull', busybox);
      await refused(/No such image: no-such:latest/, 'save', '-o', `${here}/none.tar`, 'no-such');
    });
  });

  describe('push', () => {
    test('to a registry, and pulled again after its removal', async () => {
      const name = `${registry.host}/pushed/app:1`;
      await run('box');
      await sh('box', 'echo pushed > /pushed');
      await docker('stop', 'box');
      const here = await scratch();
      await docker('export', '-o', `${here}/box.tar`, 'box');
      await docker('import', '-c', 'CMD ["cat", "/pushed"]', `${here}/box.tar`, name);
      const pushed = await docker('push', name);
      const digest = /^1: digest: (sha256:[0-9a-f]{64}) size: \d+$/m.exec(pushed)?.[1];
      assert.ok(digest, pushed);
      assert.equal(
        await docker('inspect', '-f', '{{index .RepoDigests 0}}', name),
        `${registry.host}/pushed/app@${digest}`,
      );
      assert.match(await docker('push', name), /Layer already exists/);
      const seen = await runProgram('skopeo', ['inspect', '--tls-verify=false', `docker://${name}`]);
      assert.equal((JSON.parse(seen.stdout) as { Digest: string }).Digest, digest);
      await docker('rmi', name);
      assert.equal(await docker('run', '--rm', name), 'pushed');
      await refused(/An image does not exist locally with the tag/, 'push', `${registry.host}/no-such`);
      await docker('rmi', name);
    });
  });

  test('system df counts images, containers and volumes', async () => {
    await run('box', '-v', 'vol:/v');
    await sh('box', 'head -c 1000000 /dev/zero > /v/million; head -c 2000000 /dev/zero > /two');
    const df = await docker('system', 'df', '-v');
    assert.match(df, /^vol\s+1\s+1MB$/m);
    assert.match(df, /2MB.*box$/m);
    assert.match(
      await docker('system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}}'),
      /^Containers 1 1$/m,
    );
  });
});
