/** Volumes and mounts by the stock docker CLI. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busybox, docker, dockerSuite, home, inGuest } from '../helpers/docker.ts';

const sh = (mount: string, script: string): Promise<string> =>
  docker('run', '--rm', '--mount', mount, busybox, 'sh', '-c', script);

dockerSuite('volumes and mounts', () => {
  test('a volume in memory lasts as long as it is used', async () => {
    await docker('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m,mode=1777', 'mem');
    assert.equal(await docker('volume', 'inspect', '-f', '{{index .Options "o"}}', 'mem'), 'size=1m,mode=1777');
    await docker('run', '-d', '--name', 'holder', '--stop-timeout', '0', '-v', 'mem:/m', busybox, 'sleep', '1000');
    assert.equal(
      await sh('type=volume,src=mem,dst=/m', 'grep -c " /m tmpfs" /proc/mounts; echo x >/m/file; cat /m/file'),
      '1\nx',
    );
    assert.equal(await docker('exec', 'holder', 'cat', '/m/file'), 'x');
    const busy = await home.docker(['volume', 'rm', 'mem']);
    assert.match(busy.stderr, /remove mem: volume is in use - \[[0-9a-f]{64}\]/);
    await docker('rm', '-f', 'holder');
    assert.equal(await sh('type=volume,src=mem,dst=/m', 'ls /m'), '', 'gone with its last user');
  });

  test('a folder of the guest as a volume is unmounted, not deleted', async (t) => {
    t.after(() => inGuest('rm -r /tmp/ctrs-shared'));
    await docker('run', '--rm', '-v', '/tmp/ctrs-shared:/d', busybox, 'sh', '-c', 'echo kept >/d/file');
    await docker('volume', 'create', '-o', 'type=none', '-o', 'device=/tmp/ctrs-shared', '-o', 'o=bind', 'shared');
    assert.equal(await sh('type=volume,src=shared,dst=/d', 'cat /d/file'), 'kept');
    await docker('volume', 'rm', 'shared');
    assert.equal(await docker('run', '--rm', '-v', '/tmp/ctrs-shared:/d', busybox, 'cat', '/d/file'), 'kept');
    const missing = await home.docker([
      ...['run', '--rm', '--mount', 'type=volume,src=bad,dst=/d,volume-opt=type=none,volume-opt=o=bind'],
      ...[
        `--mount`,
        'type=tmpfs,dst=/t',
        '--mount',
        'type=volume,src=worse,dst=/e,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/no/such',
        busybox,
        'true',
      ],
    ]);
    assert.equal(missing.code, 125);
    assert.match(missing.stderr, /missing required option: "device"/);
    const nowhere = await home.docker([
      'run',
      '--rm',
      '--mount',
      'type=volume,src=worse,dst=/e,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/no/such',
      busybox,
      'true',
    ]);
    assert.equal(nowhere.code, 125);
    assert.match(nowhere.stderr, /failed to mount local volume/);
  });

  test('what a container writes can be limited, whoever its root is, and still is after a restart', async (t) => {
    t.after(() => docker('rm', '-f', 'held', 'bare'));
    const fill = 'dd if=/dev/zero of=/big bs=1M count=64 2>&1; df -m / | tail -1 | tr -s " " | cut -d" " -f2';
    for (const [name, ...options] of [['held'], ['bare', '--privileged']] as const) {
      await docker('create', '--name', name, ...options, '--storage-opt', 'size=16m', busybox, 'sh', '-c', fill);
      assert.equal(await docker('inspect', '-f', '{{.HostConfig.StorageOpt}}', name), 'map[size:16m]');
      for (const run of ['first', 'second']) {
        const output = await docker('start', '-a', name);
        assert.match(output, /No space left on device/, `${name}, ${run}`);
        assert.match(output, /^16$/m, 'and it sees no larger disk');
      }
    }
    await docker('rm', 'held');
    assert.equal(
      await sh('type=volume,src=roomy,dst=/v', 'dd if=/dev/zero of=/big bs=1M count=64 2>/dev/null && echo fits'),
      'fits',
    );
    await docker('volume', 'rm', 'roomy');
  });

  test('subpath, read-only, labels, missing sources', async () => {
    await sh('type=volume,src=data,dst=/d,volume-label=a=b', 'mkdir -p /d/in; echo deep >/d/in/file; ln -s / /d/out');
    assert.equal(await docker('volume', 'ls', '-q', '--filter', 'label=a=b'), 'data');
    assert.equal(await sh('type=volume,src=data,dst=/s,volume-subpath=in', 'cat /s/file'), 'deep');
    // The docker CLI takes "no such file or directory" for a missing program.
    for (const [subpath, code] of [
      ['out', 125],
      ['nothing', 127],
    ] as const) {
      const mount = `type=volume,src=data,dst=/s,volume-subpath=${subpath}`;
      const refused = await home.docker(['run', '--rm', '--mount', mount, busybox, 'true']);
      assert.equal(refused.code, code, refused.stderr);
      assert.match(refused.stderr, /cannot access path .*\/data\/_data\//);
    }
    const written = await home.docker([
      'run',
      '--rm',
      '--mount',
      'type=volume,src=data,dst=/d,readonly',
      busybox,
      'touch',
      '/d/x',
    ]);
    assert.match(written.stderr, /Read-only file system/);
    const absent = await home.docker(['run', '--rm', '--mount', 'type=bind,src=/no/such,dst=/d', busybox, 'true']);
    assert.match(absent.stderr, /bind source path does not exist: \/no\/such/);
  });

  test('on-failure counts anew after a start by hand', async () => {
    await docker('run', '-d', '--name', 'fails', '--restart', 'on-failure:1', busybox, 'false');
    await docker('wait', 'fails');
    assert.equal(await docker('inspect', '-f', '{{.RestartCount}}', 'fails'), '1');
    await docker('start', 'fails');
    await docker('wait', 'fails');
    assert.equal(await docker('inspect', '-f', '{{.RestartCount}}', 'fails'), '1');
  });
});
