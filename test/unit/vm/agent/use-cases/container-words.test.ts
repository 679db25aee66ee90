/** The rules that turn requests into facts, and facts into Docker's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTime, rfc3339 } from '../../../../../vm/agent/clock.ts';
import { Filters } from '../../../../../vm/agent/filters.ts';
import { createContainerBody } from '../../../../../vm/agent/http/create-body.ts';
import { checkResources, parseRestartPolicy } from '../../../../../vm/agent/use-cases/check-host-config.ts';
import { createContainer } from '../../../../../vm/agent/use-cases/create-container.ts';
import { buildContainerSpec } from '../../../../../vm/agent/use-cases/container-spec.ts';
import { lookUpUser } from '../../../../../vm/agent/use-cases/container-user.ts';
import { DetachKeys } from '../../../../../vm/agent/use-cases/detach-keys.ts';
import { describeDuration } from '../../../../../vm/agent/use-cases/list-containers.ts';
import { parseLogConfig } from '../../../../../vm/agent/use-cases/log-options.ts';
import { checkContainerName, inventName } from '../../../../../vm/agent/use-cases/names.ts';
import { restartDelay, startsWithEngine, wantsRestart } from '../../../../../vm/agent/use-cases/restart-policy.ts';
import { parseSignal } from '../../../../../vm/agent/use-cases/signals.ts';
import { updateContainer } from '../../../../../vm/agent/use-cases/update-container.ts';
import { makeEngine } from '../../../../helpers/engine-parts.ts';

test('signals by name and number', () => {
  assert.deepEqual(['KILL', 'SIGTERM', 'usr1', '34', 'RTMIN+3', 'SIGRTMAX'].map(parseSignal), [9, 15, 10, 34, 37, 64]);
  for (const bad of ['', '0', '65', 'NOPE', 'RTMIN-1', '-9']) {
    assert.throws(() => parseSignal(bad), { code: 'invalid-parameter', message: `Invalid signal: ${bad}` });
  }
});

test('names', () => {
  assert.equal(checkContainerName('/web-1'), 'web-1');
  for (const bad of ['a', '-a', 'a b', '../x', 'a/b', ''])
    assert.throws(() => checkContainerName(bad), /Invalid container name/);
  const taken = new Set<string>();
  for (let count = 0; count < 500; count += 1) {
    const name = inventName((candidate) => !taken.has(candidate));
    assert.ok(!taken.has(name));
    assert.equal(checkContainerName(name), name);
    taken.add(name);
  }
});

test('limits are refused in Docker’s words', () => {
  const none = {
    Memory: 0,
    MemorySwap: 0,
    MemoryReservation: 0,
    NanoCpus: 0,
    CpuPeriod: 0,
    CpuQuota: 0,
    CpuShares: 0,
    CpusetCpus: '',
    CpusetMems: '',
  };
  checkResources(none, 2);
  checkResources({ ...none, Memory: 6_291_456, MemorySwap: -1, NanoCpus: 2e9 }, 2);
  const refused: [Partial<typeof none>, RegExp][] = [
    [{ Memory: 6_291_455 }, /^Minimum memory limit allowed is 6MB$/],
    [{ Memory: 10e6, MemorySwap: 9e6 }, /Minimum memoryswap limit should be larger than memory limit/],
    [{ MemorySwap: 9e6 }, /You should always set the Memory limit when using Memoryswap limit/],
    [{ NanoCpus: 3e9 }, /Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available/],
    [{ NanoCpus: 1e9, CpuQuota: 1000 }, /Nano CPUs and CPU Quota cannot both be set/],
    [{ CpuPeriod: 10 }, /CPU cfs period/],
    [{ CpusetCpus: '0,99' }, /^Requested CPUs are not available - requested 0,99, available: 0-1$/],
  ];
  for (const [limits, message] of refused) assert.throws(() => checkResources({ ...none, ...limits }, 2), { message });
});

test('an update does not change how processors are counted', async (t) => {
  const engine = await makeEngine(t);
  const whole = await engine.create('whole', { HostConfig: { NanoCpus: 1e9 } });
  const timed = await engine.create('timed', { HostConfig: { CpuPeriod: 100_000 } });
  const conflict = /^Cannot update container .*: Conflicting options: CPU Period cannot be updated as NanoCPUs has/;
  await assert.rejects(updateContainer(engine.parts, whole, { CpuPeriod: 100_000 }), { message: conflict });
  await assert.rejects(updateContainer(engine.parts, timed, { NanoCpus: 1e9 }), /Nano CPUs cannot be updated as CPU/);
  await updateContainer(engine.parts, timed, { CpuQuota: 50_000 });
});

test('restart policies', () => {
  assert.throws(
    () => parseRestartPolicy({ Name: 'sometimes', MaximumRetryCount: 0 }),
    /invalid restart policy 'sometimes'/,
  );
  assert.throws(() => parseRestartPolicy({ Name: 'always', MaximumRetryCount: 1 }), /maximum retry count/);
  const onFailure = parseRestartPolicy({ Name: 'on-failure', MaximumRetryCount: 2 });
  assert.deepEqual(
    [0, 1, 2].map((count) => wantsRestart(onFailure, 1, count)),
    [true, true, false],
  );
  assert.equal(wantsRestart(onFailure, 0, 0), false);
  const unlessStopped = parseRestartPolicy({ Name: 'unless-stopped', MaximumRetryCount: 0 });
  assert.equal(startsWithEngine(unlessStopped, false, true), false);
  assert.equal(startsWithEngine(parseRestartPolicy({ Name: 'always', MaximumRetryCount: 0 }), false, true), true);
  let delay = 0;
  const delays = Array.from({ length: 12 }, () => (delay = restartDelay(delay, 0)));
  assert.deepEqual(delays.slice(0, 4), [100, 200, 400, 800]);
  assert.equal(delays.at(-1), 60_000);
  assert.equal(restartDelay(60_000, 10_000), 100);
});

test('users: by name and number, groups, home; unknown ones', () => {
  const passwd = [
    ['root', 'x', '0', '0', '', '/root'],
    ['app', 'x', '1000', '1001', '', '/home/app'],
  ];
  const group = [
    ['wheel', 'x', '10', 'app,other'],
    ['app', 'x', '1001', ''],
  ];
  const home = (user: string): unknown => lookUpUser(passwd, group, user, []);
  assert.deepEqual(home(''), { uid: 0, gid: 0, additionalGids: [0], home: '/root' });
  assert.deepEqual(home('app'), { uid: 1000, gid: 1001, additionalGids: [1001, 10], home: '/home/app' });
  assert.deepEqual(home('1000:wheel'), { uid: 1000, gid: 10, additionalGids: [10], home: '/home/app' });
  assert.deepEqual(home(':99'), { uid: 0, gid: 99, additionalGids: [99], home: '/root' });
  assert.deepEqual(home('4321:99'), { uid: 4321, gid: 99, additionalGids: [99], home: '/' });
  assert.throws(() => home('ghost'), /unable to find user ghost: no matching entries in passwd file/);
  assert.throws(() => home('app:ghosts'), /unable to find group ghosts/);
  assert.deepEqual(lookUpUser(passwd, group, 'app:app', ['wheel', '7']).additionalGids, [1001, 10, 7]);
});

test('detach keys across chunks; a broken sequence is typed after all', () => {
  const keys = new DetachKeys('');
  assert.deepEqual(keys.feed(Buffer.from('ab\x10')), { pass: Buffer.from('ab'), detached: false });
  assert.deepEqual(keys.feed(Buffer.from('c\x10')), { pass: Buffer.from('\x10c'), detached: false });
  assert.equal(keys.feed(Buffer.from('\x10\x11')).detached, true);
  assert.throws(() => new DetachKeys('ctrl-?'), { code: 'invalid-parameter' });
  assert.equal(new DetachKeys('a,ctrl-[').feed(Buffer.from('a\x1b')).detached, true);
});

test('durations', () => {
  const words = [0.5, 1, 59, 60, 119, 3599, 5400, 86_400 * 3, 86_400 * 20].map(describeDuration);
  assert.deepEqual(words, [
    'Less than a second',
    '1 second',
    '59 seconds',
    'About a minute',
    'About a minute',
    '59 minutes',
    '2 hours',
    '3 days',
    '2 weeks',
  ]);
});

test('times in queries', () => {
  assert.equal(parseTime('1700000000.5'), 1_700_000_000_500_000_000n);
  assert.equal(parseTime('2026-01-02T03:04:05.000000007Z'), BigInt(Date.UTC(2026, 0, 2, 3, 4, 5)) * 1_000_000n + 7n);
  assert.equal(parseTime('1h30m', 10_000_000), BigInt(10_000_000 - 5_400_000) * 1_000_000n);
  assert.equal(parseTime('yesterday'), undefined);
  assert.equal(rfc3339(0, 42), '1970-01-01T00:00:00.000000042Z');
});

test('filters: both forms, unknown names, labels', () => {
  const known = ['label', 'status'];
  assert.deepEqual(Filters.parse('{"status":["a"]}', known).get('status'), ['a']);
  assert.deepEqual(Filters.parse('{"status":{"a":true,"b":false}}', known).get('status'), ['a']);
  assert.equal(Filters.parse('{"label":["x","y=1"]}', known).matchesLabels({ x: '', y: '1' }), true);
  assert.equal(Filters.parse('{"label":["y=2"]}', known).matchesLabels({ y: '1' }), false);
  for (const bad of ['{', '[]x', '{"nope":["a"]}', '{"status":[1]}', '3']) {
    assert.throws(() => Filters.parse(bad, known), { code: 'invalid-parameter' }, bad);
  }
});

test('log options', () => {
  const parse = (Config: Record<string, string>, Type = 'json-file') => parseLogConfig({ Type, Config });
  assert.deepEqual(parse({}), { maxSizeBytes: 0, maxFiles: 1 });
  assert.deepEqual(parse({ 'max-size': '10m', 'max-file': '3' }), { maxSizeBytes: 10 * 1024 ** 2, maxFiles: 3 });
  assert.equal(parse({}, 'none'), undefined);
  for (const bad of ['x', '-1', '0']) assert.throws(() => parse({ 'max-size': bad }), { code: 'invalid-parameter' });
  assert.throws(() => parse({}, 'gelf'), /plugin "gelf" not found/);
});

test('create requests: nulls become defaults, a lone string is a command, nonsense is refused', () => {
  const { config, hostConfig } = createContainerBody.parse({
    Image: 'x',
    Cmd: 'echo',
    Env: null,
    Unknown: 1,
    HostConfig: { Memory: null, PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
  });
  assert.deepEqual([config.Cmd, config.Env, hostConfig.Memory], [['echo'], [], 0]);
  assert.deepEqual(hostConfig.PortBindings, { '80/tcp': [{ HostIp: '', HostPort: '8080' }] });
  for (const bad of [{ Cmd: 3 }, { Env: 'A=b' }, { HostConfig: { Memory: '1g' } }, { HostConfig: { Mounts: [{}] } }]) {
    assert.equal(createContainerBody.safeParse(bad).success, false, JSON.stringify(bad));
  }
});

test('the image’s defaults are merged as Docker merges them', async (t) => {
  const engine = await makeEngine(t);
  const find = async (name: string, body: object) => engine.parts.store.find(await engine.create(name, body)).config;
  assert.deepEqual((await find('plain', {})).Cmd, ['sh']);
  const own = await find('own', { Entrypoint: ['/bin/x'], Env: ['FROM_IMAGE=no', 'MINE=1'], Labels: { maker: 'me' } });
  assert.deepEqual([own.Entrypoint, own.Cmd, own.Labels], [['/bin/x'], null, { maker: 'me' }]);
  assert.deepEqual(own.Env, ['FROM_IMAGE=no', 'MINE=1', 'PATH=/bin']);
  assert.deepEqual(Object.keys(own.ExposedPorts ?? {}), ['80/tcp']);
  await assert.rejects(engine.create('nocmd', { Entrypoint: [''], Cmd: [] }), /No command specified/);
  await assert.rejects(engine.create('relative', { WorkingDir: 'here' }), /needs to be an absolute path/);
  await assert.rejects(engine.create('noimage', { Image: 'none' }), {
    code: 'not-found',
    message: /No such image: none:latest/,
  });
  await assert.rejects(engine.create('caps', { HostConfig: { CapAdd: ['FLY'] } }), { code: 'invalid-parameter' });
  await assert.rejects(
    engine.create('rm', { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } }),
    /can't create 'AutoRemove' container with restart policy/,
  );
  assert.equal(engine.parts.store.all().length, 2);
});

test('an image of another platform is not found, so that clients pull the right one', async (t) => {
  const engine = await makeEngine(t);
  const create = (platform: string) =>
    createContainer(engine.parts, undefined, createContainerBody.parse({ Image: 'img', Cmd: ['x'] }), { platform });
  await assert.rejects(create('linux/s390x'), {
    code: 'not-found',
    message: /^image with reference img was found but does not match .*: wanted linux\/s390x, actual: linux\/amd64$/,
  });
  await assert.rejects(create('nonsense//'), { code: 'invalid-parameter' });
  for (const fits of ['linux/amd64', 'amd64', 'linux', 'x86_64']) await create(fits);
});

test('a bind of a folder that is not in the guest is told, with what to do instead', async (t) => {
  const engine = await makeEngine(t);
  const warningsOf = async (HostConfig: object): Promise<readonly string[]> => {
    const request = createContainerBody.parse({ Image: 'img', Cmd: ['x'], HostConfig });
    return (await createContainer(engine.parts, undefined, request)).warnings;
  };
  const [warning, ...others] = await warningsOf({
    Binds: ['/Users/me/app:/app', '/etc:/host:ro', 'named:/v', '/run/user/1/docker.sock:/var/run/docker.sock'],
  });
  assert.match(warning ?? '', /^\/Users\/me\/app is not in the VM.*docker cp/);
  assert.deepEqual(others, []);
});

test('binds and volumes: one volume a name, destinations checked, twice the same refused', async (t) => {
  const engine = await makeEngine(t);
  const mounts = async (name: string, HostConfig: object) =>
    engine.parts.store.find(await engine.create(name, { HostConfig })).mounts;
  const [named, bound] = await mounts('binds', { Binds: ['data:/var/data/', '/etc:/host:ro'] });
  assert.deepEqual([named?.Type, named?.Name, named?.Destination, named?.RW], ['volume', 'data', '/var/data', true]);
  assert.deepEqual([bound?.Type, bound?.Source, bound?.RW], ['bind', '/etc', false]);
  const [again] = await mounts('again', { Binds: ['data:/x'] });
  assert.equal(again?.Source, named?.Source);
  for (const bad of ['x', 'a:b', 'a:/', 'a:/x:bogus', 'a:/x:ro:rw', ':/x', '../a:/x']) {
    await assert.rejects(mounts('bad', { Binds: [bad] }), { code: 'invalid-parameter' }, bad);
  }
  await assert.rejects(mounts('twice', { Binds: ['data:/x', '/etc:/x'] }), /Duplicate mount point: \/x/);
  assert.equal(engine.parts.volumes.all().length, 1);
});

test('the runtime configuration: namespaces, capabilities, environment, limits', async (t) => {
  const engine = await makeEngine(t);
  const id = await engine.create('spec', {
    Tty: true,
    User: '5',
    Env: ['PATH=/mine', 'HOME'],
    HostConfig: { UsernsMode: '', Memory: 64e6, NanoCpus: 5e8, PidsLimit: 7, CapDrop: ['ALL'], ReadonlyRootfs: true },
  });
  const record = engine.parts.store.find(id);
  const spec = buildContainerSpec({
    initProgram: '/programs/container-init',
    record,
    paths: { hostname: '/h', hosts: '/hs', resolvConf: '/r' },
    mounts: [],
    user: { uid: 5, gid: 6, additionalGids: [], home: '/home' },
    namespaces: { network: { path: '/proc/1/ns/net' }, pid: undefined, ipc: undefined, user: undefined },
    sharedMemoryFolder: undefined,
    seccomp: undefined,
    devices: [],
  });
  const namespaces = Object.fromEntries(spec.linux.namespaces.map(({ type, path }) => [type, path ?? 'own']));
  assert.deepEqual(namespaces, {
    mount: 'own',
    cgroup: 'own',
    uts: 'own',
    network: '/proc/1/ns/net',
    pid: 'own',
    ipc: 'own',
    user: 'own',
  });
  assert.deepEqual(spec.process.env, ['PATH=/mine', `HOSTNAME=${id.slice(0, 12)}`, 'TERM=xterm', 'FROM_IMAGE=yes']);
  assert.deepEqual([spec.process.capabilities.bounding, spec.process.capabilities.effective], [[], []]);
  assert.deepEqual(spec.linux.resources.memory, { limit: 64e6, swap: 128e6 });
  assert.deepEqual(spec.linux.resources.cpu, { quota: 50_000, period: 100_000 });
  assert.deepEqual(spec.linux.resources.pids, { limit: 7 });
  assert.equal(spec.root.readonly, true);
  assert.equal(spec.linux.resources.devices[0]?.allow, false);
});

test('--init: bound in and first, only where the container has a PID 1 of its own', async (t) => {
  const engine = await makeEngine(t);
  const spec = async (name: string, hostConfig: object, pid: string | undefined) => {
    const id = await engine.create(name, { Cmd: ['a', 'b'], HostConfig: hostConfig });
    return buildContainerSpec({
      initProgram: '/programs/container-init',
      record: engine.parts.store.find(id),
      paths: { hostname: '/h', hosts: '/hs', resolvConf: '/r' },
      mounts: [],
      user: { uid: 0, gid: 0, additionalGids: [], home: '/' },
      namespaces: { network: undefined, pid: pid === undefined ? pid : { path: pid }, ipc: undefined, user: undefined },
      sharedMemoryFolder: undefined,
      seccomp: undefined,
      devices: [],
    });
  };
  const own = await spec('own', { Init: true }, undefined);
  assert.deepEqual(own.process.args, ['/sbin/docker-init', '--', 'a', 'b']);
  const bound = own.mounts.find(({ source }) => source === '/programs/container-init');
  assert.equal(bound?.destination, '/sbin/docker-init');
  assert.ok(bound.options.includes('ro'));
  for (const [name, init, pid] of [
    ['shared', true, '/proc/1/ns/pid'],
    ['none', false, undefined],
  ] as const) {
    const other = await spec(name, { Init: init }, pid);
    assert.deepEqual(other.process.args, ['a', 'b']);
    assert.ok(!other.mounts.some(({ source }) => source === '/programs/container-init'));
  }
});
