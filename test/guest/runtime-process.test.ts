import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { LaunchError } from '../../vm/agent/runtime/runtime.ts';
import {
  assertNothingLeft,
  cgroupRoot,
  create,
  layer,
  logText,
  never,
  readLog,
  removeFiles,
  requestOf,
  run,
  runtime,
  start,
  stopSpawner,
  until,
  type LaunchOptions,
} from './runtime-fixture.ts';

after(stopSpawner);

async function failure(t: TestContext, args: readonly string[], options: LaunchOptions = {}): Promise<LaunchError> {
  const { container, request } = await create(t, args, options);
  const error = await container.go().then(
    () => assert.fail('it started'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LaunchError, String(error));
  await assertNothingLeft(request);
  assert.equal(await runtime.readExitRecord(request.exitRecordPath), undefined, 'what never ran has no exit');
  return error;
}

test('exit codes are the process’s own, and 128+n for signal n', async (t) => {
  assert.equal((await run(t, ['true'])).exitCode, 0);
  assert.equal((await run(t, ['false'])).exitCode, 1);
  const last = await run(t, ['sh', '-c', 'exit 42']);
  assert.equal(last.exitCode, 42);
  assert.deepEqual(await runtime.readExitRecord(last.request.exitRecordPath), {
    exitCode: 42,
    oomKilled: false,
    finishedAt: last.finishedAt,
  });
  const { container } = await start(t, ['sleep', '1000']);
  await container.kill(9);
  assert.equal((await container.exited).exitCode, 137);
  const polite = await start(t, ['sh', '-c', 'trap "exit 7" TERM; echo; while :; do sleep 0.05; done']);
  await polite.container.attach({ stdin: false, stdout: true, stderr: false });
  await polite.container.kill(15);
  assert.ok([7, 143].includes((await polite.container.exited).exitCode));
});

test('a command that is not there is not-found, one that cannot run is not-executable, in Docker’s words', async (t) => {
  const cases = [
    [['nope'], 'not-found', 'exec: "nope": executable file not found in $PATH'],
    [['/nope'], 'not-found', 'exec: "/nope": stat /nope: no such file or directory'],
    [['no-interpreter'], 'not-found', 'exec /bin/no-interpreter: no such file or directory'],
    [['/etc/passwd'], 'not-executable', 'exec: "/etc/passwd": permission denied'],
    [['/etc'], 'not-executable', 'exec: "/etc": is a directory'],
    [['/bin/not-a-program'], 'not-executable', 'exec /bin/not-a-program: exec format error'],
  ] as const;
  for (const [args, kind, message] of cases) {
    const error = await failure(t, args);
    assert.deepEqual([error.kind, error.message], [kind, message]);
  }
});

test('a set-up that fails names the step and leaves nothing', async (t) => {
  const mount = { destination: '/data', type: 'bind', source: '/no/such/folder', options: ['bind'] };
  const missing = await failure(t, ['true'], { config: (c) => ({ ...c, mounts: [...c.mounts, mount] }) });
  assert.deepEqual(
    [missing.kind, missing.message],
    ['setup', 'open /no/such/folder to mount it: No such file or directory'],
  );
  const sysctl = { ...{ 'net.ipv4.no_such_thing': '1' } };
  const unknown = await failure(t, ['true'], { config: (c) => ({ ...c, linux: { ...c.linux, sysctl } }) });
  assert.match(unknown.message, /set sysctl net\/ipv4\/no_such_thing to 1: No such file/);

  const request = requestOf(['true'], {
    request: { rootfs: { lowerDirs: ['/no/layer'], upperDir: '/x', workDir: '/y' } },
  });
  t.after(() => removeFiles(request));
  await assert.rejects(runtime.create(request, never), { message: 'open layer /no/layer: No such file or directory' });
  await assertNothingLeft(request);
});

test('a start that is given up leaves nothing', async (t) => {
  const abort = new AbortController();
  const early = requestOf(['true']);
  t.after(() => removeFiles(early));
  const creating = runtime.create(early, abort.signal);
  abort.abort();
  await assert.rejects(creating);
  await assertNothingLeft(early);

  const request = requestOf(['true']);
  t.after(() => removeFiles(request));
  const container = await runtime.create(request, never);
  container.detach();
  await assertNothingLeft(request);
});

test('root inside is a stranger outside, with the default capabilities only', async (t) => {
  const script = 'id -u; id -g; grep -E "^(Cap|Seccomp:)" /proc/self/status; echo end; cat; sleep 9';
  const { container, request } = await start(t, ['sh', '-c', script], { request: { openStdin: true } });
  await until('the output', () => logText(request).endsWith('end\n'));
  const status = fs.readFileSync(`/proc/${container.pid}/status`, 'utf8');
  assert.match(status, new RegExp(`^Uid:\\s+${request.idRange?.base ?? -1}\\s`, 'm'));
  const capabilities = ['CapInh:\t0000000000000000', 'CapPrm:\t00000000a80425fb', 'CapEff:\t00000000a80425fb'];
  const rest = ['CapBnd:\t00000000a80425fb', 'CapAmb:\t0000000000000000', 'Seccomp:\t2', 'end', ''];
  assert.equal(logText(request), ['0', '0', ...capabilities, ...rest].join('\n'));
});

test('another user: ids, groups, umask, home of its files, standard streams it may open anew', async (t) => {
  const { request, exitCode } = await run(
    t,
    [
      'sh',
      '-c',
      'id -u; id -g; id -G; umask; pwd; ulimit -n; echo again > /dev/stdout; echo err > /dev/stderr; grep CapEff /proc/self/status',
    ],
    {
      process: {
        user: { uid: 1000, gid: 1001, additionalGids: [5, 2000], umask: 0o027 },
        cwd: '/made/for it',
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1234, hard: 4321 }],
        capabilities: { bounding: ['CAP_CHOWN'], effective: [], permitted: [], inheritable: [], ambient: [] },
      },
    },
  );
  const log = readLog(request.log?.path ?? '');
  const written = (stream: string) => log.flatMap((entry) => (entry.stream === stream ? entry.log : [])).join('');
  assert.equal(
    written('stdout'),
    '1000\n1001\n1001 5 2000\n0027\n/made/for it\n1234\nagain\nCapEff:\t0000000000000000\n',
  );
  assert.equal(written('stderr'), 'err\n');
  assert.equal(exitCode, 0);
});

test('what is masked shows nothing, what is read-only stays so, and the root too when asked', async (t) => {
  const script = `exec 2>&1
    wc -c < /proc/keys; ls /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/msgmax; echo 1 > /proc/sysrq-trigger
    touch /sys/fs/cgroup/x; touch /new; echo ok > /dev/shm/new && cat /dev/shm/new; hostname; cat /proc/1/comm; ps | wc -l`;
  const { output } = await run(t, ['sh', '-c', script], {
    config: (c) => ({ ...c, root: { ...c.root, readonly: true } }),
  });
  const lines = output.split('\n');
  assert.deepEqual(lines.slice(0, 2), ['0', '0']);
  assert.equal(lines.filter((line) => /Read-only file system/.test(line)).length, 4, output);
  assert.deepEqual(lines.slice(-5, -2), ['ok', 'box', 'sh'], output);
  assert.ok(Number(lines.at(-2)) <= 4, 'the heading, the shell, ps and perhaps wc');
});

test('the guest’s devices stay out of reach: by mknod, by a node in a layer, by mount', async (t) => {
  const evil = path.join(layer, '..', 'evil-layer');
  fs.mkdirSync(evil, { recursive: true });
  t.after(() => fs.rmSync(evil, { recursive: true, force: true }));
  const disk = fs.statSync(fs.realpathSync('/dev/disk/wherry/data')).rdev;
  const [major, minor] = [Math.floor(disk / 256), disk % 256];
  execFileSync('busybox', ['mknod', '-m', '666', path.join(evil, 'disk'), 'b', String(major), String(minor)]);
  const script = `
    mknod /tmp/disk b ${major} ${minor}; head -c 1 /tmp/disk; head -c 1 /disk && echo READ
    mount -t tmpfs none /mnt; unshare -U true; cat /dev/null && echo null works`;
  const { output } = await run(t, ['sh', '-c', script], {
    lowerDirs: [evil, layer],
  });
  assert.match(output, /mknod: .*Operation not permitted/);
  assert.match(output, /\/disk.*(Permission denied|Operation not permitted)/);
  assert.match(output, /unshare.*Operation not permitted/);
  assert.doesNotMatch(output, /READ/);
  assert.match(output, /null works/);
});

test('the device rules bind the guest’s root too', async (t) => {
  const { output } = await run(
    t,
    ['sh', '-c', 'mknod /tmp/m c 1 1; head -c 1 /tmp/m && echo READ; head -c 3 /dev/zero | wc -c'],
    {
      request: { idRange: undefined },
      config: (c) => ({
        ...c,
        linux: { ...c.linux, namespaces: c.linux.namespaces.filter(({ type }) => type !== 'user') },
      }),
    },
  );
  assert.match(output, /Operation not permitted/);
  assert.doesNotMatch(output, /READ/);
  assert.match(output, /^3$/m);
});

test('volumes are bound idmapped, read-only when asked, on paths whose links stay inside', async (t) => {
  const volume = path.join(layer, '..', 'volume');
  fs.rmSync(volume, { recursive: true, force: true });
  fs.mkdirSync(volume, { recursive: true });
  t.after(() => fs.rmSync(volume, { recursive: true, force: true }));
  fs.writeFileSync(path.join(volume, 'seen'), 'hello\n');
  const bind = (destination: string, ...options: string[]) => ({
    destination,
    type: 'bind',
    source: volume,
    options: ['rbind', ...options],
  });
  const { output } = await run(
    t,
    [
      'sh',
      '-c',
      'exec 2>&1; cat /data/seen; touch /data/made; stat -c %u /data/seen; touch /frozen/x; cat /var/run/v/seen',
    ],
    {
      config: (c) => ({
        ...c,
        mounts: [
          ...c.mounts,
          bind('/data', 'idmap', 'rprivate'),
          bind('/frozen', 'idmap', 'ro'),
          bind('/var/run/v', 'idmap'),
        ],
      }),
    },
  );
  assert.match(output, /^hello\n0\n.*Read-only file system\nhello\n$/);
  assert.equal(fs.statSync(path.join(volume, 'made')).uid, 0, 'stored unshifted');
});

test('a mount that a link leads into /proc is refused', async (t) => {
  const trap = path.join(layer, '..', 'trap-layer');
  fs.mkdirSync(trap, { recursive: true });
  t.after(() => fs.rmSync(trap, { recursive: true, force: true }));
  fs.symlinkSync('/proc/sys', path.join(trap, 'data'));
  const mount = { destination: '/data', type: 'bind', source: layer, options: ['bind'] };
  const error = await failure(t, ['true'], {
    lowerDirs: [trap, layer],
    config: (c) => ({ ...c, mounts: [...c.mounts, mount] }),
  });
  assert.match(error.message, /inside \/proc/);
});

test('mount points are made where the image’s links lead, also when nothing is there yet', async (t) => {
  const linked = path.join(layer, '..', 'linked-layer');
  fs.mkdirSync(path.join(linked, 'etc'), { recursive: true });
  t.after(() => fs.rmSync(linked, { recursive: true, force: true }));
  fs.symlinkSync('../run/resolve/stub.conf', path.join(linked, 'etc/resolv.conf'));
  fs.symlinkSync('/run/../../deep/er', path.join(linked, 'data'));
  fs.symlinkSync('loop', path.join(linked, 'loop'));
  const source = path.join(linked, 'file');
  fs.writeFileSync(source, 'content\n');
  const bind = (destination: string, from: string) => ({ destination, type: 'bind', source: from, options: ['bind'] });
  const mounts = [bind('/etc/resolv.conf', source), bind('/data/v', layer)];
  const { output } = await run(t, ['sh', '-c', 'cat /run/resolve/stub.conf; ls /deep/er/v/etc'], {
    lowerDirs: [linked, layer],
    config: (c) => ({ ...c, mounts: [...c.mounts, ...mounts] }),
  });
  assert.equal(output, 'content\npasswd\n');
  const error = await failure(t, ['true'], {
    lowerDirs: [linked, layer],
    config: (c) => ({ ...c, mounts: [...c.mounts, bind('/loop/x', layer)] }),
  });
  assert.match(error.message, /Too many levels of symbolic links/);
});

test('namespaces of another container are shared', async (t) => {
  const one = await start(t, ['sleep', '1000']);
  const spaces = (c: Parameters<NonNullable<LaunchOptions['config']>>[0]) =>
    c.linux.namespaces.map((space) =>
      ['network', 'ipc', 'pid'].includes(space.type)
        ? { ...space, path: `/proc/${one.container.pid}/ns/${space.type === 'network' ? 'net' : space.type}` }
        : space,
    );
  const two = await start(t, ['sleep', '1000'], {
    config: (c) => ({ ...c, linux: { ...c.linux, namespaces: spaces(c) } }),
  });
  for (const kind of ['net', 'ipc', 'pid']) {
    const link = (pid: number) => fs.readlinkSync(`/proc/${pid}/ns/${kind}`);
    assert.equal(link(two.container.pid), link(one.container.pid), kind);
  }
  assert.notEqual(
    fs.readlinkSync(`/proc/${two.container.pid}/ns/user`),
    fs.readlinkSync(`/proc/${one.container.pid}/ns/user`),
  );
});

test('in another’s user namespace: its network can be changed, its processes are seen and ended', async (t) => {
  const one = await start(t, ['sleep', '1234']);
  const of = (name: string) => `/proc/${one.container.pid}/ns/${name}`;
  const { output, exitCode } = await run(
    t,
    [
      'sh',
      '-c',
      'ip link set lo mtu 1400 && ps -o args | grep 1234; ls /proc/1/root/bin/sh; kill -9 1; kill -9 $(pidof sleep)',
    ],
    {
      request: { idRange: one.request.idRange },
      config: (c) => ({
        ...c,
        process: {
          ...c.process,
          capabilities: {
            ...c.process.capabilities,
            bounding: [...c.process.capabilities.bounding, 'CAP_NET_ADMIN', 'CAP_SYS_PTRACE'],
            effective: [...c.process.capabilities.effective, 'CAP_NET_ADMIN', 'CAP_SYS_PTRACE'],
            permitted: [...c.process.capabilities.permitted, 'CAP_NET_ADMIN', 'CAP_SYS_PTRACE'],
          },
        },
        linux: {
          ...c.linux,
          namespaces: [
            ...c.linux.namespaces.filter(({ type }) => !['network', 'pid', 'user'].includes(type)),
            { type: 'network' as const, path: of('net'), isOfUserNamespace: true },
            { type: 'pid' as const, path: of('pid'), isOfUserNamespace: true },
            { type: 'user' as const, path: of('user') },
          ],
        },
      }),
    },
  );
  assert.match(output, /sleep 1234/);
  assert.match(output, /\/proc\/1\/root\/bin\/sh/);
  assert.equal(exitCode, 0, output);
});

test('in the guest’s own network, pid and ipc namespaces: seen, read-only, and nothing stays behind', async (t) => {
  const names = { network: 'net', pid: 'pid', ipc: 'ipc' } as const;
  const { output, exitCode } = await run(
    t,
    ['sh', '-c', 'cat /proc/1/comm; ls /sys/class/net | grep lo; sleep 1000 & exit 6'],
    {
      config: (c) => ({
        ...c,
        linux: {
          ...c.linux,
          namespaces: c.linux.namespaces.map((space) =>
            space.type === 'network' || space.type === 'pid' || space.type === 'ipc'
              ? { ...space, path: `/proc/${process.pid}/ns/${names[space.type]}` }
              : space,
          ),
        },
      }),
    },
  );
  assert.equal(output, `${fs.readFileSync('/proc/1/comm', 'utf8').trim()}\nlo\n`);
  assert.equal(exitCode, 6);
});

test('127 layers fit', async (t) => {
  const many = Array.from({ length: 126 }, (_, index) =>
    path.join(layer, '..', 'many', String(index).padStart(64, '0')),
  );
  for (const folder of many) fs.mkdirSync(folder, { recursive: true });
  t.after(() => fs.rmSync(path.join(layer, '..', 'many'), { recursive: true, force: true }));
  fs.writeFileSync(path.join(many[125] ?? '', 'lowest'), 'found\n');
  const { output } = await run(t, ['cat', '/lowest'], {
    lowerDirs: [...many, layer],
  });
  assert.equal(output, 'found\n');
});

test('a limit the kernel refuses is a failed set-up', async (t) => {
  const request = requestOf(['true'], {
    config: (c) => ({ ...c, linux: { ...c.linux, resources: { ...c.linux.resources, cpu: { cpus: '900-901' } } } }),
  });
  t.after(() => removeFiles(request));
  await assert.rejects(runtime.create(request, never), /write 900-901 to cgroup file cpuset.cpus/);
  assert.equal(fs.existsSync(path.join(cgroupRoot, request.cgroup)), false);
});
