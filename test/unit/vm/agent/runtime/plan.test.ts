import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileExecPlan, compilePlan } from '../../../../../vm/agent/runtime/plan.ts';
import { planTags } from '../../../../../vm/agent/runtime/plan-tags.ts';
import { decodeRecord, type MonitorRecord } from '../../../../../vm/agent/runtime/records.ts';
import type { LaunchRequest, OciConfig, OciMount, OciProcess } from '../../../../../vm/agent/runtime/runtime.ts';

const process: OciProcess = {
  terminal: true,
  consoleSize: { width: 80, height: 24 },
  args: ['sh', '-c', ''],
  env: ['A=b'],
  cwd: '',
  user: { uid: 5, gid: 6, additionalGids: [7], umask: 0o77 },
  capabilities: {
    bounding: ['CAP_CHOWN', 'CAP_BPF'],
    effective: ['CAP_CHOWN'],
    permitted: [],
    inheritable: [],
    ambient: [],
  },
  noNewPrivileges: true,
  rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: Number('18446744073709551615') }],
  oomScoreAdj: -5,
};

function configOf(changes: Partial<OciConfig['linux']> = {}, mounts: readonly OciMount[] = []): OciConfig {
  return {
    ociVersion: '1.2.0',
    process,
    root: { path: 'rootfs', readonly: false },
    mounts,
    linux: {
      namespaces: (['pid', 'mount', 'network', 'uts', 'ipc', 'cgroup', 'user'] as const).map((type) => ({ type })),
      resources: { devices: [] },
      maskedPaths: [],
      readonlyPaths: [],
      sysctl: {},
      devices: [],
      ...changes,
    },
  };
}

function plan(config: OciConfig, request: Partial<LaunchRequest> = {}): MonitorRecord[] {
  const whole: LaunchRequest = {
    id: 'abc',
    config,
    rootfs: { lowerDirs: ['/layers/top', '/layers/base'], upperDir: '/c/upper', workDir: '/c/work' },
    idRange: { base: 100_000, size: 65_536 },
    cgroup: 'wherry/abc',
    runDir: '/run/abc',
    exitRecordPath: '/c/exit.json',
    log: undefined,
    openStdin: true,
    stdinOnce: false,
    ...request,
  };
  return decodeAll(compilePlan(whole, { cgroupRoot: '/cg', seccomp: undefined, stallMs: 9 }));
}

function decodeAll(data: Buffer): MonitorRecord[] {
  const records: MonitorRecord[] = [];
  for (let rest = data; rest.length > 0;) {
    const next = decodeRecord(rest) ?? assert.fail('cut short');
    records.push(next.record);
    rest = rest.subarray(next.bytes);
  }
  return records;
}

const only = (records: readonly MonitorRecord[], tag: number) => records.filter((record) => record.tag === tag);

test('the container, its layers topmost first, and its process', () => {
  const records = plan(configOf());
  assert.deepEqual(records[0], {
    tag: planTags.container,
    numbers: [1, 0, 9],
    strings: ['abc', '/run/abc', '/c/exit.json', '/cg/wherry/abc'],
  });
  assert.deepEqual(
    only(records, planTags.layer).map((record) => record.strings[0]),
    ['/layers/top', '/layers/base'],
  );
  const [overlay] = only(records, planTags.overlay);
  assert.deepEqual([overlay?.numbers, overlay?.strings], [[4], ['/c/upper', '/c/work']]);
  const [started] = only(records, planTags.process);
  assert.deepEqual([started?.numbers, started?.strings], [[1, 5, 6, 0o77, 1, -5, 80, 24], ['/']]);
  assert.deepEqual(only(records, planTags.args)[0]?.strings, ['sh', '-c', '']);
  assert.deepEqual(only(records, planTags.capabilities)[0]?.numbers, [1 + 2 ** 39, 1, 0, 0, 0]);
  assert.deepEqual(only(records, planTags.rlimit)[0]?.numbers, [7, 10, -1]);
});

test('without an id range there is no user namespace, and the image’s devices are the rules’ business', () => {
  const records = plan(configOf(), { idRange: undefined });
  assert.deepEqual(only(records, planTags.idRange), []);
  assert.deepEqual(only(records, planTags.overlay)[0]?.numbers, [0]);
});

test('binds become sources, staged by number, and targets, in order', () => {
  const bind = (source: string, destination: string, ...options: string[]) => ({
    source,
    destination,
    type: 'bind',
    options,
  });
  const records = plan(
    configOf({}, [bind('/v', '/data/', 'rbind', 'idmap', 'ro', 'rslave'), bind('/dev/fuse', '/dev/fuse', 'bind')]),
  );
  assert.deepEqual(
    only(records, planTags.bind).map(({ numbers, strings }) => [numbers, strings]),
    [
      [[3, 1 | 4], ['/v']],
      [[0, 0], ['/dev/fuse']],
    ],
  );
  assert.deepEqual(
    only(records, planTags.putBind).map(({ numbers, strings }) => [numbers, strings]),
    [
      [[0, (1 << 19) | (1 << 14)], ['/data']],
      [[1, 0], ['/dev/fuse']],
    ],
  );
});

test('a mount inside /proc, on the root, or nowhere is refused', () => {
  for (const destination of ['/proc/sys', '/x/../proc/1', '/', 'relative', '/proc']) {
    const mount = { destination, type: 'bind', source: '/x', options: ['bind'] };
    assert.throws(() => plan(configOf({}, [mount])), /invalid mount target/, destination);
  }
});

test('a user namespace without a network of its own is shown the guest’s /sys, without message queues of its own none', () => {
  const mounts: OciMount[] = [
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: [] },
  ];
  const namespaces = [
    { type: 'network' as const, path: '/proc/1/ns/net' },
    { type: 'ipc' as const, path: '/proc/1/ns/ipc' },
  ];
  const shared = plan(configOf({ namespaces }, mounts));
  assert.deepEqual(only(shared, planTags.mount), []);
  assert.deepEqual(
    only(shared, planTags.bind).map(({ strings }) => strings[0]),
    ['/sys'],
  );
  const privileged = plan(configOf({ namespaces }, mounts), { idRange: undefined });
  assert.equal(only(privileged, planTags.mount).length, 2);
  const [network, ipc] = namespaces;
  const ofOne = [{ ...network, isOfUserNamespace: true }, ipc, { type: 'user' as const, path: '/proc/7/ns/user' }];
  const joined = plan(configOf({ namespaces: ofOne as typeof namespaces }, mounts));
  assert.deepEqual(
    only(joined, planTags.mount).map(({ strings }) => strings[0]),
    ['sysfs'],
    'with the user namespace come its rights',
  );
  assert.ok(only(joined, planTags.namespace).some(({ strings }) => strings[0] === '/proc/7/ns/user'));
});

test('/dev gets the standard nodes, those asked for in their place, and links', () => {
  const dev = { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: [] };
  const devices = [
    { path: '/dev/kvm', type: 'c' as const, major: 10, minor: 232, fileMode: 0o660 },
    { path: '/dev/zero', type: 'c' as const, major: 9, minor: 9, fileMode: 0o600 },
  ];
  const nodes = only(plan(configOf({ devices }, [dev])), planTags.node);
  assert.deepEqual(
    nodes.map(({ strings }) => strings[0]),
    ['null', 'full', 'random', 'urandom', 'tty', 'kvm', 'zero'],
  );
  assert.deepEqual(nodes.at(-1)?.numbers, [0o020600, 9, 9]);
  assert.deepEqual(only(plan(configOf()), planTags.node), []);
});

test('sysctl names become paths, and cannot leave /proc/sys', () => {
  const [set] = only(plan(configOf({ sysctl: { 'net.ipv4.ip_forward': '1' } })), planTags.sysctl);
  assert.deepEqual(set?.strings, ['net/ipv4/ip_forward', '1']);
  for (const name of ['a..b', '../x', 'net/../../x']) {
    assert.throws(() => plan(configOf({ sysctl: { [name]: '1' } })), /not a sysctl/);
  }
});

test('an exec’s plan', () => {
  const records = decodeAll(compileExecPlan({ execId: 'e', process, attachStdin: true }));
  assert.deepEqual(records[0], { tag: planTags.exec, numbers: [1], strings: ['e', ''] });
  const [toolbox] = decodeAll(
    compileExecPlan({ execId: 'e', process, attachStdin: true, guestProgram: '/usr/bin/busybox' }),
  );
  assert.deepEqual(toolbox?.strings, ['e', '/usr/bin/busybox']);
  assert.ok(records.some(({ tag }) => tag === planTags.args));
});

test('unknown capabilities and limits are refused', () => {
  const withLimit = { ...process, rlimits: [{ type: 'RLIMIT_NONE', soft: 1, hard: 1 }] };
  assert.throws(
    () => compileExecPlan({ execId: 'e', process: withLimit, attachStdin: false }),
    /unknown resource limit: RLIMIT_NONE/,
  );
  const capabilities = { ...process.capabilities, ambient: ['CAP_NONE'] };
  assert.throws(
    () => compileExecPlan({ execId: 'e', process: { ...process, capabilities }, attachStdin: false }),
    /unknown capability: CAP_NONE/,
  );
});
