/** From a container's record to the OCI runtime configuration of its process. Pure. */
import { EngineError } from '../../contract/errors.ts';
import { resolveCapabilities } from '../runtime/capabilities.ts';
import type { OciConfig, OciMount, OciProcess, OciResources, OciSeccomp } from '../runtime/runtime.ts';
import type { ContainerConfig, ContainerRecord, HostConfig } from '../state/container-record.ts';
import { parseDeviceRule, standardDeviceRules } from './device-rules.ts';
import type { ResolvedUser } from './container-user.ts';
import type { JoinedNamespace, SharedNamespaces } from './shared-namespaces.ts';

export interface SpecInput {
  readonly record: ContainerRecord;
  readonly paths: { readonly hostname: string; readonly hosts: string; readonly resolvConf: string };
  /** `native/container-init`. */
  readonly initProgram: string;
  readonly mounts: readonly OciMount[];
  readonly user: ResolvedUser;
  /** Those to join; undefined: one of its own. */
  readonly namespaces: SharedNamespaces;
  /** Of the guest's or another container's; undefined: one of its own. */
  readonly sharedMemoryFolder: string | undefined;
  /** Undefined: unconfined. */
  readonly seccomp: OciSeccomp | undefined;
  /** Devices asked for, as they are in the guest. */
  readonly devices: OciConfig['linux']['devices'];
}

/** Where Docker has its own. */
const initTarget = '/sbin/docker-init';

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
export const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export function buildContainerSpec(input: SpecInput): OciConfig {
  const { record, namespaces } = input;
  const { config, hostConfig } = record;
  const privileged = hostConfig.Privileged;
  return {
    ociVersion: '1.2.0',
    ...(hostConfig.UTSMode === 'host' ? {} : { hostname: config.Hostname }),
    ...(config.Domainname === '' ? {} : { domainname: config.Domainname }),
    process: containerProcess(record, input.user, usesInit(input)),
    root: { path: 'rootfs', readonly: hostConfig.ReadonlyRootfs },
    mounts: [
      ...systemMounts(input),
      ...outermostFirst([...networkFiles(input), ...input.mounts]),
      ...initMounts(input),
    ],
    linux: {
      namespaces: [
        { type: 'mount' },
        { type: 'cgroup' as const },
        ...(hostConfig.UTSMode === 'host' ? [] : [{ type: 'uts' as const }]),
        join('network', namespaces.network),
        join('pid', namespaces.pid),
        join('ipc', namespaces.ipc),
        ...(record.idSlot === undefined ? [] : [join('user', namespaces.user)]),
      ],
      resources: { ...resourceLimits(hostConfig), devices: deviceRules(hostConfig, input.devices) },
      maskedPaths: privileged ? [] : (hostConfig.MaskedPaths ?? maskedPaths),
      readonlyPaths: privileged ? [] : (hostConfig.ReadonlyPaths ?? readonlyPaths),
      sysctl: sysctlsOf(hostConfig, namespaces.network === undefined),
      ...(input.seccomp === undefined ? {} : { seccomp: input.seccomp }),
      devices: input.devices,
    },
  };
}

function join<Type extends keyof SharedNamespaces>(type: Type, joined: JoinedNamespace | undefined) {
  return { type, ...joined };
}

function containerProcess(record: ContainerRecord, user: ResolvedUser, withInit: boolean): OciProcess {
  const { config, hostConfig } = record;
  return buildProcess({
    args: withInit ? [initTarget, '--', ...commandOf(config)] : commandOf(config),
    env: config.Env,
    cwd: config.WorkingDir,
    tty: config.Tty,
    consoleSize: hostConfig.ConsoleSize,
    hostname: config.Hostname,
    user,
    hostConfig,
    privileged: hostConfig.Privileged,
  });
}

/** Entrypoint and command. */
export function commandOf(config: Pick<ContainerConfig, 'Entrypoint' | 'Cmd'>): string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
}

/** The process object of a container or of an exec in it. */
export function buildProcess(options: {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly tty: boolean;
  /** Rows, columns; zeroes when unknown. */
  readonly consoleSize: readonly [number, number];
  readonly hostname: string;
  readonly user: ResolvedUser;
  readonly hostConfig: HostConfig;
  readonly privileged: boolean;
}): OciProcess {
  const { user, hostConfig } = options;
  const bounding = capabilitiesOf(hostConfig, options.privileged);
  const [rows, columns] = options.consoleSize;
  // As with Docker, a user other than root starts with none and cannot gain more than the bounding set.
  const own = user.uid === 0 ? bounding : [];
  return {
    terminal: options.tty,
    ...(options.tty && rows > 0 && columns > 0 ? { consoleSize: { width: columns, height: rows } } : {}),
    args: options.args,
    env: environment(options.env, options.hostname, options.tty, user.home),
    cwd: options.cwd === '' ? '/' : options.cwd,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    capabilities: { bounding, effective: own, permitted: own, inheritable: [], ambient: [] },
    noNewPrivileges: (hostConfig.SecurityOpt ?? []).some((option) => /^no-new-privileges([:=]true)?$/.test(option)),
    rlimits: rlimitsOf(hostConfig),
    oomScoreAdj: hostConfig.OomScoreAdj,
  };
}

/** The most that the container's processes may have. Throws `invalid-parameter` for an unknown name. */
export function capabilitiesOf(hostConfig: HostConfig, privileged = hostConfig.Privileged): readonly string[] {
  try {
    return resolveCapabilities({ privileged, add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [] });
  } catch (error) {
    throw new EngineError('invalid-parameter', (error as Error).message, { cause: error });
  }
}

/** Later settings of a name win; a bare name without a value unsets. */
function environment(given: readonly string[], hostname: string, tty: boolean, home: string): string[] {
  const values = new Map<string, string>();
  const base = [defaultPath, `HOSTNAME=${hostname}`, ...(tty ? ['TERM=xterm'] : []), `HOME=${home}`];
  for (const entry of [...base, ...given]) {
    const at = entry.indexOf('=');
    if (at < 0) values.delete(entry);
    else values.set(entry.slice(0, at), entry);
  }
  return [...values.values()];
}

function rlimitsOf(hostConfig: HostConfig): OciProcess['rlimits'] {
  const asked = hostConfig.Ulimits.map(({ Name, Soft, Hard }) => ({
    type: `RLIMIT_${Name.toUpperCase()}`,
    soft: Soft,
    hard: Hard,
  }));
  const hasFiles = asked.some((limit) => limit.type === 'RLIMIT_NOFILE');
  return hasFiles ? asked : [...asked, { type: 'RLIMIT_NOFILE', soft: 1024, hard: 524_288 }];
}

/** `--init`, as with Docker only where the container has a PID 1 of its own. */
function usesInit({ record, namespaces }: SpecInput): boolean {
  return record.hostConfig.Init === true && namespaces.pid === undefined;
}

function initMounts(input: SpecInput): OciMount[] {
  const options = ['bind', 'ro', 'nosuid', 'nodev', 'rprivate'];
  return usesInit(input) ? [{ destination: initTarget, type: 'bind', source: input.initProgram, options }] : [];
}

function systemMounts({ record, sharedMemoryFolder }: SpecInput): OciMount[] {
  const { hostConfig } = record;
  const access = hostConfig.Privileged ? 'rw' : 'ro';
  const system = ['nosuid', 'noexec', 'nodev'];
  const mounts: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: system },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: system },
    ...sharedMemory(record.hostConfig, sharedMemoryFolder),
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...system, access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...system, 'relatime', access] },
  ];
  return withoutTaken(mounts, record);
}

function networkFiles({ record, paths }: SpecInput): OciMount[] {
  const file = (destination: string, source: string): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['bind', 'rprivate', 'rw'],
  });
  const files = [
    file('/etc/resolv.conf', paths.resolvConf),
    file('/etc/hostname', paths.hostname),
    file('/etc/hosts', paths.hosts),
  ];
  return withoutTaken(files, record);
}

function withoutTaken(mounts: readonly OciMount[], record: ContainerRecord): OciMount[] {
  const taken = new Set(record.mounts.map((mount) => mount.Destination));
  return mounts.filter((mount) => !taken.has(mount.destination));
}

/** A mount must not hide one that belongs in it: a volume at `/etc` the names of hosts. */
export function outermostFirst(mounts: readonly OciMount[]): OciMount[] {
  const depth = ({ destination }: OciMount): number => destination.split('/').length;
  return [...mounts].sort((a, b) => depth(a) - depth(b));
}

/** POSIX shared memory: shared, the container's own, or none. */
function sharedMemory({ IpcMode, ShmSize }: HostConfig, folder: string | undefined): OciMount[] {
  const place = { destination: '/dev/shm', options: ['nosuid', 'noexec', 'nodev'] };
  if (IpcMode === 'none') return [];
  if (folder !== undefined) {
    return [{ ...place, type: 'bind', source: folder, options: ['bind', 'rprivate', ...place.options] }];
  }
  return [{ ...place, type: 'tmpfs', source: 'shm', options: [...place.options, 'mode=1777', `size=${ShmSize}`] }];
}

/** What the engine puts into every container: where it is empty in the container's own layer, it was made for that. */
export const systemPaths: readonly string[] = [
  ...['/.dockerenv', '/proc', '/dev', '/sys', '/etc/resolv.conf', '/etc/hostname', '/etc/hosts'],
];

/** Limits that can also be changed while the container runs. */
export function resourceLimits(hostConfig: HostConfig): Omit<OciResources, 'devices'> {
  const limit = hostConfig.Memory;
  const swap = hostConfig.MemorySwap === 0 ? limit * 2 : hostConfig.MemorySwap;
  const quota = hostConfig.NanoCpus > 0 ? Math.round(hostConfig.NanoCpus / 10_000) : hostConfig.CpuQuota;
  const pids = hostConfig.PidsLimit ?? 0;
  return {
    memory: {
      ...(limit > 0 ? { limit, swap } : {}),
      ...(hostConfig.MemoryReservation > 0 ? { reservation: hostConfig.MemoryReservation } : {}),
    },
    cpu: {
      ...(hostConfig.CpuShares > 0 ? { shares: hostConfig.CpuShares } : {}),
      ...(quota > 0 ? { quota, period: hostConfig.CpuPeriod > 0 ? hostConfig.CpuPeriod : 100_000 } : {}),
      ...(hostConfig.CpusetCpus === '' ? {} : { cpus: hostConfig.CpusetCpus }),
      ...(hostConfig.CpusetMems === '' ? {} : { mems: hostConfig.CpusetMems }),
    },
    ...(pids > 0 ? { pids: { limit: pids } } : {}),
    ...(hostConfig.BlkioWeight > 0 ? { blockIO: { weight: hostConfig.BlkioWeight } } : {}),
  };
}

function deviceRules(hostConfig: HostConfig, devices: OciConfig['linux']['devices']): OciResources['devices'] {
  if (hostConfig.Privileged) return [{ allow: true, access: 'rwm' }];
  return [
    ...standardDeviceRules,
    ...devices.map(({ type, major, minor }, index) => ({
      allow: true,
      type,
      major,
      minor,
      access: hostConfig.Devices[index]?.CgroupPermissions ?? 'rwm',
    })),
    ...(hostConfig.DeviceCgroupRules ?? []).map(parseDeviceRule),
  ];
}

function sysctlsOf(hostConfig: HostConfig, ownNetwork: boolean): Record<string, string> {
  const network = ownNetwork
    ? { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 65535' }
    : {};
  const refused = Object.keys(hostConfig.Sysctls).find(
    (name) => !/^(net\.|fs\.mqueue\.|kernel\.(msg|sem|shm))/.test(name) || (name.startsWith('net.') && !ownNetwork),
  );
  if (refused !== undefined) {
    throw new EngineError('invalid-parameter', `sysctl "${refused}" is not in a separate kernel namespace`);
  }
  return { ...network, ...hostConfig.Sysctls };
}
