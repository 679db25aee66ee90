/**
 * Compiles a launch request to the monitor's plan: a flat list of records, done in order. All policy is here; the
 * monitor carries it out. Tags and the order of fields are those of `native/monitor/plan.h`.
 */
import { capabilityMask } from './capabilities.ts';
import { compileCgroupLimits } from './cgroup-limits.ts';
import { compileDeviceProgram } from './device-program.ts';
import { compileMounts } from './plan-mounts.ts';
import { planTags } from './plan-tags.ts';
import { encodeRecord } from './records.ts';
import type { ExecRequest, LaunchRequest, OciConfig, OciProcess } from './runtime.ts';

/** CLONE_NEW…; a new user namespace follows from the id range. */
const namespaceFlags = {
  mount: 0x0002_0000,
  cgroup: 0x0200_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  user: 0x1000_0000,
  pid: 0x2000_0000,
  network: 0x4000_0000,
} as const;

const rlimitNumbers: Readonly<Record<string, number>> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};

const unlimited = -1;
const mountFlagNodev = 4;

export interface PlanSurroundings {
  /** Where cgroup v2 is mounted. */
  readonly cgroupRoot: string;
  /** The compiled filter of `config.linux.seccomp`. */
  readonly seccomp: Buffer | undefined;
  /** After this long without taking anything, an attached client that lags is dropped. */
  readonly stallMs: number;
}

/** The plan of a container. Throws on a configuration that cannot be carried out. */
export function compilePlan(request: LaunchRequest, surroundings: PlanSurroundings): Buffer {
  const { config, rootfs, idRange, log } = request;
  const devices = compileDeviceProgram(config.linux.resources.devices);
  return Buffer.concat([
    encodeRecord(
      planTags.container,
      [Number(request.openStdin), Number(request.stdinOnce), surroundings.stallMs],
      [request.id, request.runDir, request.exitRecordPath, `${surroundings.cgroupRoot}/${request.cgroup}`],
    ),
    ...(log === undefined ? [] : [encodeRecord(planTags.log, [log.maxSizeBytes, log.maxFiles], [log.path])]),
    ...(idRange === undefined ? [] : [encodeRecord(planTags.idRange, [idRange.base, idRange.size])]),
    ...compileNamespaces(config),
    ...rootfs.lowerDirs.map((folder) => encodeRecord(planTags.layer, [], [folder])),
    encodeRecord(planTags.overlay, [idRange === undefined ? 0 : mountFlagNodev], [rootfs.upperDir, rootfs.workDir]),
    ...compileCgroupLimits(config.linux.resources).map(({ file, value, optional }) =>
      encodeRecord(planTags.cgroup, [Number(optional)], [file, value]),
    ),
    ...(devices === undefined ? [] : [encodeRecord(planTags.devices, [], [], devices)]),
    ...compileMounts(config, idRange !== undefined),
    ...Object.entries(config.linux.sysctl).map(([name, value]) =>
      encodeRecord(planTags.sysctl, [], [sysctlPath(name), value]),
    ),
    ...config.linux.maskedPaths.map((path) => encodeRecord(planTags.mask, [], [path])),
    ...config.linux.readonlyPaths.map((path) => encodeRecord(planTags.readOnly, [], [path])),
    ...(config.hostname === undefined ? [] : [encodeRecord(planTags.hostname, [], [config.hostname])]),
    ...(config.domainname === undefined ? [] : [encodeRecord(planTags.domainname, [], [config.domainname])]),
    ...(config.root.readonly ? [encodeRecord(planTags.rootReadOnly)] : []),
    ...compileProcess(config.process),
    ...(surroundings.seccomp === undefined ? [] : [encodeRecord(planTags.seccomp, [0], [], surroundings.seccomp)]),
  ]);
}

/** The plan of a further process in a running container. */
export function compileExecPlan(request: ExecRequest): Buffer {
  return Buffer.concat([
    encodeRecord(planTags.exec, [Number(request.attachStdin)], [request.execId, request.guestProgram ?? '']),
    ...compileProcess(request.process),
  ]);
}

function compileNamespaces(config: OciConfig): Buffer[] {
  return config.linux.namespaces
    .filter(({ type, path }) => type !== 'user' || path !== undefined)
    .map(({ type, path }) => encodeRecord(planTags.namespace, [namespaceFlags[type]], [path ?? '']));
}

/** `net.ipv4.ip_forward` → `net/ipv4/ip_forward`; a slash stands for a dot inside a name, as sysctl(8) has it. */
function sysctlPath(name: string): string {
  const path = name.includes('/') ? name : name.replaceAll('.', '/');
  if (path.split('/').some((part) => part === '' || part === '..')) throw new Error(`not a sysctl: ${name}`);
  return path;
}

function compileProcess(process: OciProcess): Buffer[] {
  const { user, capabilities, consoleSize } = process;
  const sets = [
    capabilities.bounding,
    capabilities.effective,
    capabilities.permitted,
    capabilities.inheritable,
    capabilities.ambient,
  ];
  return [
    encodeRecord(
      planTags.process,
      [
        Number(process.terminal),
        user.uid,
        user.gid,
        user.umask ?? 0o022,
        Number(process.noNewPrivileges),
        /* Not the monitor's, which is to outlive its container. */
        process.oomScoreAdj ?? 0,
        consoleSize?.width ?? 0,
        consoleSize?.height ?? 0,
      ],
      [process.cwd === '' ? '/' : process.cwd],
    ),
    encodeRecord(planTags.args, [], process.args),
    encodeRecord(planTags.env, [], process.env),
    encodeRecord(planTags.groups, user.additionalGids),
    encodeRecord(planTags.capabilities, sets.map(capabilityMask)),
    ...process.rlimits.map(({ type, soft, hard }) => {
      const number = rlimitNumbers[type];
      if (number === undefined) throw new Error(`unknown resource limit: ${type}`);
      return encodeRecord(planTags.rlimit, [number, limitNumber(soft), limitNumber(hard)]);
    }),
  ];
}

/** Beyond what a double holds exactly, only "unlimited" is meant. */
function limitNumber(value: number): number {
  return value < 0 || value > Number.MAX_SAFE_INTEGER ? unlimited : value;
}
