/** cgroup v2 statistics, in the shape of Docker's `GET /containers/:id/stats`. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export interface ContainerStats {
  /** RFC 3339, when the figures were read. */
  readonly read: string;
  readonly pids_stats: { readonly current: number; readonly limit?: number };
  readonly blkio_stats: {
    readonly io_service_bytes_recursive: readonly BlockFigure[];
    readonly io_serviced_recursive: readonly BlockFigure[];
  };
  readonly cpu_stats: CpuFigures;
  readonly memory_stats: {
    /** Bytes, page cache included; the CLI takes `stats.inactive_file` off. */
    readonly usage: number;
    readonly limit: number;
    readonly stats: Readonly<Record<string, number>>;
  };
  readonly networks?: Readonly<Record<string, NetworkFigures>>;
}

/** All times in nanoseconds. */
interface CpuFigures {
  readonly cpu_usage: {
    readonly total_usage: number;
    readonly usage_in_kernelmode: number;
    readonly usage_in_usermode: number;
  };
  readonly system_cpu_usage: number;
  readonly online_cpus: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    readonly throttled_time: number;
  };
}

interface BlockFigure {
  readonly major: number;
  readonly minor: number;
  readonly op: 'read' | 'write';
  readonly value: number;
}

type NetworkFigures = Readonly<Record<(typeof networkColumns)[number], number>>;

/** /proc/net/dev, receive then transmit; `-` is left out. */
const networkColumns = [
  'rx_bytes',
  'rx_packets',
  'rx_errors',
  'rx_dropped',
  'tx_bytes',
  'tx_packets',
  'tx_errors',
  'tx_dropped',
] as const;
const networkPositions = [0, 1, 2, 3, 8, 9, 10, 11] as const;

/** The kernel's clock ticks are 1/100 s in /proc/stat, whatever its own rate. */
const nanosecondsPerTick = 10_000_000;

/**
 * Reads a container's cgroup folder and, with `networkPid`, the interfaces of that process's network namespace.
 * Undefined when the cgroup is gone.
 */
export async function readStats(cgroup: string, networkPid: number | undefined): Promise<ContainerStats | undefined> {
  const read = (name: string) => readFile(path.join(cgroup, name), 'utf8').catch(() => '');
  const [cpu, machine, memory, memoryMax, memoryStat, io, pids, pidsMax, network] = await Promise.all([
    read('cpu.stat'),
    readFile('/proc/stat', 'utf8'),
    read('memory.current'),
    read('memory.max'),
    read('memory.stat'),
    read('io.stat'),
    read('pids.current'),
    read('pids.max'),
    networkPid === undefined ? '' : readFile(`/proc/${networkPid}/net/dev`, 'utf8').catch(() => ''),
  ]);
  if (cpu === '') return undefined;
  const limit = Number(pidsMax);
  const networks = parseNetworks(network);
  return {
    read: new Date().toISOString(),
    pids_stats: { current: Number(pids), ...(Number.isFinite(limit) && pidsMax !== '' ? { limit } : {}) },
    blkio_stats: parseBlockStats(io),
    cpu_stats: parseCpuStats(cpu, machine),
    memory_stats: {
      usage: Number(memory),
      limit: memoryLimit(memoryMax, os.totalmem()),
      stats: parseKeys(memoryStat),
    },
    ...(networks === undefined ? {} : { networks }),
  };
}

function memoryLimit(text: string, totalBytes: number): number {
  const limit = Number(text);
  return text !== '' && Number.isFinite(limit) ? Math.min(limit, totalBytes) : totalBytes;
}

/** `key value` lines. */
function parseKeys(text: string): Record<string, number> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' '))
      .map(([key = '', value]) => [key, Number(value)]),
  );
}

export function parseCpuStats(cgroupCpu: string, procStat: string): CpuFigures {
  const own = parseKeys(cgroupCpu);
  const nanoseconds = (key: string) => (own[key] ?? 0) * 1000;
  const lines = procStat.split('\n');
  /* user nice system idle iowait irq softirq steal; guest time is in user already. */
  const ticks = (lines[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  return {
    cpu_usage: {
      total_usage: nanoseconds('usage_usec'),
      usage_in_kernelmode: nanoseconds('system_usec'),
      usage_in_usermode: nanoseconds('user_usec'),
    },
    system_cpu_usage: ticks.reduce((sum, tick) => sum + tick, 0) * nanosecondsPerTick,
    online_cpus: lines.filter((line) => /^cpu\d/.test(line)).length,
    throttling_data: {
      periods: own.nr_periods ?? 0,
      throttled_periods: own.nr_throttled ?? 0,
      throttled_time: nanoseconds('throttled_usec'),
    },
  };
}

/** io.stat: `253:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0` a line. */
export function parseBlockStats(text: string): ContainerStats['blkio_stats'] {
  const bytes: BlockFigure[] = [];
  const operations: BlockFigure[] = [];
  for (const line of text.split('\n').filter(Boolean)) {
    const [device = '', ...pairs] = line.split(' ');
    const [major = 0, minor = 0] = device.split(':').map(Number);
    const values = new Map(pairs.map((pair) => pair.split('=', 2) as [string, string]));
    const figure = (op: BlockFigure['op'], key: string) => ({ major, minor, op, value: Number(values.get(key) ?? 0) });
    bytes.push(figure('read', 'rbytes'), figure('write', 'wbytes'));
    operations.push(figure('read', 'rios'), figure('write', 'wios'));
  }
  return { io_service_bytes_recursive: bytes, io_serviced_recursive: operations };
}

/** Loopback is nobody's traffic. Undefined when there is nothing else. */
export function parseNetworks(text: string): Record<string, NetworkFigures> | undefined {
  const entries = text
    .split('\n')
    .map((line) => /^\s*([^:\s]+):\s*(.*)$/.exec(line))
    .filter((match) => match !== null && match[1] !== 'lo')
    .map((match) => {
      const values = (match?.[2] ?? '').trim().split(/\s+/).map(Number);
      const figures = networkColumns.map((column, index) => [column, values[networkPositions[index] ?? 0] ?? 0]);
      return [match?.[1] ?? '', Object.fromEntries(figures) as NetworkFigures] as const;
    });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
