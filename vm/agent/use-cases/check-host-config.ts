/** Limits and policies of a create or update request, refused in Docker's words. Pure. */
import { EngineError } from '../../contract/errors.ts';
import type { HostConfig } from '../state/container-record.ts';
import { parseLogConfig } from './log-options.ts';

const minimumMemoryBytes = 6 * 1024 * 1024;
const minimumShares = 2;
const maximumShares = 262_144;

/** The VM has one. */
const memoryNodes = 1;

export type ResourceLimits = Pick<
  HostConfig,
  | 'Memory'
  | 'MemorySwap'
  | 'MemoryReservation'
  | 'NanoCpus'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpuShares'
  | 'CpusetCpus'
  | 'CpusetMems'
>;

/** Returns warnings. */
export function checkHostConfig(hostConfig: HostConfig, cpus: number): string[] {
  checkResources(hostConfig, cpus);
  if (hostConfig.BlkioWeight !== 0 && (hostConfig.BlkioWeight < 10 || hostConfig.BlkioWeight > 1000)) {
    throw invalid('Range of blkio weight is from 10 to 1000');
  }
  checkSecurityOptions(hostConfig.SecurityOpt ?? []);
  parseLogConfig(hostConfig.LogConfig);
  if (hostConfig.AutoRemove && hostConfig.RestartPolicy.Name !== 'no') {
    throw invalid("can't create 'AutoRemove' container with restart policy");
  }
  if (hostConfig.ShmSize < 0) throw invalid('SHM size can not be less than 0');
  if (hostConfig.OomScoreAdj < -1000 || hostConfig.OomScoreAdj > 1000) {
    throw invalid(`Invalid value ${hostConfig.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  const badLimit = hostConfig.Ulimits.find((limit) => limit.Hard !== -1 && limit.Soft > limit.Hard);
  if (badLimit !== undefined) {
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${badLimit.Soft} > ${badLimit.Hard}`);
  }
  const isHostNetwork = hostConfig.NetworkMode === 'host';
  return isHostNetwork && Object.keys(hostConfig.PortBindings).length > 0
    ? ['Published ports are discarded when using host network mode']
    : [];
}

export function checkResources(limits: ResourceLimits, cpus: number): void {
  const { Memory, MemorySwap, MemoryReservation, NanoCpus, CpuPeriod, CpuQuota, CpuShares } = limits;
  if (Memory !== 0 && Memory < minimumMemoryBytes) throw invalid('Minimum memory limit allowed is 6MB');
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (Memory === 0 && MemorySwap > 0) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (MemoryReservation !== 0 && MemoryReservation < minimumMemoryBytes) {
    throw invalid('Minimum memory reservation allowed is 6MB');
  }
  if (Memory > 0 && MemoryReservation > Memory) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  if (NanoCpus > 0 && CpuPeriod > 0) {
    throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  }
  if (NanoCpus > 0 && CpuQuota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (NanoCpus < 0 || NanoCpus > cpus * 1e9) {
    throw invalid(`Range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
  }
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (CpuQuota > 0 && CpuQuota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (CpuShares !== 0 && (CpuShares < minimumShares || CpuShares > maximumShares)) {
    throw invalid(`CPU shares must be between ${minimumShares} and ${maximumShares}`);
  }
  checkCpuset(limits.CpusetCpus, cpus, 'cpus', 'CPUs');
  checkCpuset(limits.CpusetMems, memoryNodes, 'mems', 'memory nodes');
}

/** `0-1,3`, of `count` there are. */
function checkCpuset(list: string, count: number, kind: string, things: string): void {
  const ranges = list === '' ? [] : list.split(',').map((text) => /^(\d+)(?:-(\d+))?$/.exec(text));
  const numbers = ranges.map((range) => {
    if (range === null) throw invalid(`Invalid value ${list} for cpuset ${kind}: invalid format: ${list}`);
    return Number(range[2] ?? range[1]);
  });
  if (numbers.every((number) => number < count)) return;
  throw invalid(
    `Requested ${things} are not available - requested ${list}, available: ${count === 1 ? '0' : `0-${count - 1}`}`,
  );
}

function checkSecurityOptions(options: readonly string[]): void {
  const unknown = options.find(
    (option) =>
      !/^(no-new-privileges|(seccomp|apparmor|label|systempaths|no-new-privileges|writable-cgroups)[:=].*)$/s.test(
        option,
      ),
  );
  if (unknown !== undefined) throw invalid(`invalid --security-opt 2: ${JSON.stringify(unknown)}`);
}

/** An empty name means `no`. */
export function parseRestartPolicy(policy: {
  readonly Name: string;
  readonly MaximumRetryCount: number;
}): HostConfig['RestartPolicy'] {
  const { Name, MaximumRetryCount } = policy;
  switch (Name) {
    case '':
    case 'no':
    case 'always':
    case 'unless-stopped':
      if (MaximumRetryCount !== 0) {
        throw invalid(`maximum retry count cannot be used with restart policy '${Name}'`);
      }
      return { Name: Name === '' ? 'no' : Name, MaximumRetryCount };
    case 'on-failure':
      if (MaximumRetryCount < 0) throw invalid('maximum retry count cannot be negative');
      return { Name, MaximumRetryCount };
    default:
      throw invalid(`invalid restart policy '${Name}'`);
  }
}

function invalid(message: string): EngineError {
  return new EngineError('invalid-parameter', message);
}
