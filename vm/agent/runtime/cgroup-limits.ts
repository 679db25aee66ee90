/** An OCI `resources` object as writes to cgroup v2 files. */
import type { OciResources, ThrottleDevice } from './runtime.ts';

export interface CgroupWrite {
  readonly file: string;
  readonly value: string;
  /** True when a kernel without the file is no failure. */
  readonly optional: boolean;
}

export function compileCgroupLimits(resources: OciResources): readonly CgroupWrite[] {
  return [...memoryLimits(resources), ...cpuLimits(resources), ...pidsLimit(resources), ...ioLimits(resources)];
}

function write(file: string, value: string | number, optional = false): CgroupWrite {
  return { file, value: String(value), optional };
}

function memoryLimits({ memory }: OciResources): CgroupWrite[] {
  if (memory === undefined) return [];
  const writes: CgroupWrite[] = [];
  const limited = memory.limit !== undefined && memory.limit > 0;
  if (limited) writes.push(write('memory.max', memory.limit ?? 0));
  if (memory.reservation !== undefined && memory.reservation > 0) writes.push(write('memory.low', memory.reservation));
  /* OCI counts memory and swap together, the kernel swap alone. */
  if (memory.swap === -1) writes.push(write('memory.swap.max', 'max', true));
  else if (memory.swap !== undefined && limited)
    writes.push(write('memory.swap.max', Math.max(0, memory.swap - (memory.limit ?? 0)), true));
  return writes;
}

function cpuLimits({ cpu }: OciResources): CgroupWrite[] {
  if (cpu === undefined) return [];
  const writes: CgroupWrite[] = [];
  if (cpu.shares !== undefined && cpu.shares > 0) writes.push(write('cpu.weight', weightOfShares(cpu.shares)));
  if (cpu.quota !== undefined || cpu.period !== undefined) {
    const quota = cpu.quota !== undefined && cpu.quota > 0 ? String(cpu.quota) : 'max';
    writes.push(write('cpu.max', `${quota} ${cpu.period ?? 100_000}`));
  }
  if (cpu.cpus !== undefined && cpu.cpus !== '') writes.push(write('cpuset.cpus', cpu.cpus));
  if (cpu.mems !== undefined && cpu.mems !== '') writes.push(write('cpuset.mems', cpu.mems));
  return writes;
}

/** Shares 2…262144 of cgroup v1 to weight 1…10000 of v2, as runc maps them. */
export function weightOfShares(shares: number): number {
  const clamped = Math.min(262_144, Math.max(2, shares));
  return Math.floor(1 + ((clamped - 2) * 9999) / 262_142);
}

function pidsLimit({ pids }: OciResources): CgroupWrite[] {
  return pids === undefined ? [] : [write('pids.max', pids.limit > 0 ? pids.limit : 'max')];
}

function ioLimits({ blockIO }: OciResources): CgroupWrite[] {
  if (blockIO === undefined) return [];
  const writes: CgroupWrite[] = [];
  if (blockIO.weight !== undefined && blockIO.weight > 0) {
    /* 10…1000 to 1…10000. */
    writes.push(write('io.weight', `default ${Math.floor(1 + ((blockIO.weight - 10) * 9999) / 990)}`, true));
  }
  const throttle = (devices: readonly ThrottleDevice[] | undefined, key: string) => {
    for (const device of devices ?? []) {
      writes.push(write('io.max', `${device.major}:${device.minor} ${key}=${device.rate > 0 ? device.rate : 'max'}`));
    }
  };
  throttle(blockIO.throttleReadBpsDevice, 'rbps');
  throttle(blockIO.throttleWriteBpsDevice, 'wbps');
  throttle(blockIO.throttleReadIOPSDevice, 'riops');
  throttle(blockIO.throttleWriteIOPSDevice, 'wiops');
  return writes;
}
