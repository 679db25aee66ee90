/** What init leaves for the agent: run as root in the guest. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

interface Mount {
  readonly type: string;
  readonly options: readonly string[];
}

function mounts(): Map<string, Mount> {
  const lines = readFileSync('/proc/1/mounts', 'utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [, target = '', type = '', options = ''] = line.split(' ');
      return [target, { type, options: options.split(',') }];
    }),
  );
}

test('the root is the read-only system disk', () => {
  const root = mounts().get('/');
  assert.equal(root?.type, 'erofs');
  assert.ok(root.options.includes('ro'));
  assert.throws(() => writeFileSync('/usr/bin/planted', ''), { code: 'EROFS' });
});

test('what must be writable is in memory, and devices are refused there', () => {
  const table = mounts();
  for (const target of ['/run', '/tmp', '/var', '/root', '/dev/shm']) {
    assert.equal(table.get(target)?.type, 'tmpfs', target);
    assert.ok(table.get(target)?.options.includes('nodev'), target);
  }
  assert.equal(statSync('/tmp').mode & 0o7777, 0o1777);
  assert.equal(table.get('/sys/fs/cgroup')?.type, 'cgroup2');
  assert.equal(table.get('/dev/pts')?.type, 'devpts');
});

test('mounts are private, so that containers keep theirs to themselves', () => {
  const shared = readFileSync('/proc/1/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / shared:/.test(line));
  assert.deepEqual(shared, []);
});

test('containers can be limited in everything the engine promises', () => {
  for (const folder of ['/sys/fs/cgroup', '/sys/fs/cgroup/wherry']) {
    const enabled = readFileSync(`${folder}/cgroup.subtree_control`, 'utf8').trim().split(' ');
    for (const controller of ['cpu', 'cpuset', 'io', 'memory', 'pids']) {
      assert.ok(enabled.includes(controller), `${controller} in ${folder}`);
    }
  }
  assert.ok(existsSync('/sys/fs/cgroup/wherry/memory.swap.max'));
});

test('the disks have names by what they are for', () => {
  for (const role of ['system', 'data', 'seed']) {
    assert.ok(statSync(realpathSync(`/dev/disk/wherry/${role}`)).isBlockDevice(), role);
  }
});

test('the seed is readable by root alone', () => {
  assert.equal(statSync('/run/wherry/seed').mode & 0o777, 0o700);
  for (const name of ['seed.json', 'ssh_host_ed25519_key', 'authorized_keys']) {
    assert.equal(statSync(`/run/wherry/seed/${name}`).mode & 0o077, 0, name);
  }
});

test('host name, clock and name server are those of the seed', () => {
  const seed = JSON.parse(readFileSync('/run/wherry/seed/seed.json', 'utf8')) as {
    hostname: string;
    clockMs: number;
    network: { mode: string; dns?: string[] };
  };
  assert.equal(readFileSync('/proc/sys/kernel/hostname', 'utf8').trim(), seed.hostname);
  assert.ok(Date.now() > seed.clockMs - 2000);
  const resolvers = readFileSync('/etc/resolv.conf', 'utf8');
  for (const server of seed.network.dns ?? []) assert.ok(resolvers.includes(`nameserver ${server}\n`));
  assert.match(readFileSync('/proc/net/route', 'utf8'), /^eth0\t00000000\t/m);
});

test('the kernel loads what it is asked for, and has it when it goes on', () => {
  assert.equal(readFileSync('/proc/sys/kernel/modprobe', 'utf8').trim(), '/sbin/modprobe');
  // Several at once: whoever comes second must not go on before the first is done.
  const script =
    'for n in 1 2 3 4; do (/usr/sbin/modprobe xfs && grep -qw xfs /proc/filesystems || echo early) & done; wait';
  assert.equal(execFileSync('sh', ['-c', script]).toString(), '');
  execFileSync('ip', ['link', 'add', 'boot-test0', 'type', 'dummy']);
  execFileSync('ip', ['link', 'del', 'boot-test0']);
  assert.ok(!existsSync('/sys/class/net/dummy0'), 'it makes no link by itself');
  assert.equal(spawnSync('/usr/sbin/modprobe', ['overlay', 'ext4', 'nft-chain-nat']).status, 0);
  const unknown = spawnSync('/usr/sbin/modprobe', ['no-such-module'], { encoding: 'utf8' });
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /module no-such-module not found/);
});

test('every program of the image finds its libraries', () => {
  const programs = ['nft --version', 'mkfs.xfs -V', 'xfs_repair -V', 'xfs_quota -V', 'xfs_growfs -V', 'node --version'];
  for (const line of programs) {
    const [program = '', ...args] = line.split(' ');
    const result = spawnSync(program, args, { encoding: 'utf8' });
    assert.equal(result.status, 0, `${line}: ${result.stderr}`);
  }
});

test('the starter image is in its place', () => {
  const index = JSON.parse(readFileSync('/usr/share/wherry/starter/index.json', 'utf8')) as {
    manifests: { digest: string }[];
  };
  const digest = index.manifests[0]?.digest ?? '';
  assert.ok(existsSync(`/usr/share/wherry/starter/blobs/${digest.replace(':', '/')}`));
});
