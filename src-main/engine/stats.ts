/** The engine's statistics of a container and their translation into what a graph shows. Pure. */
import { z } from 'zod';
import type { StatsSample } from '../contract/engine.ts';

const figure = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);

export const statsMessage = z.object({
  /** When it was read; Docker's zero time when nothing runs. */
  read: z.string(),
  pids_stats: z.object({ current: figure }).nullish(),
  cpu_stats: z.object({
    cpu_usage: z.object({ total_usage: figure }),
    system_cpu_usage: figure,
    online_cpus: figure,
  }),
  memory_stats: z.object({
    usage: figure,
    limit: figure,
    stats: z.record(z.string(), z.unknown()).nullish(),
  }),
  blkio_stats: z
    .object({ io_service_bytes_recursive: z.array(z.object({ op: z.string(), value: z.number() })).nullish() })
    .nullish(),
  networks: z.record(z.string(), z.object({ rx_bytes: figure, tx_bytes: figure })).nullish(),
});
export type StatsMessage = z.infer<typeof statsMessage>;

/**
 * One sample from two readings, as rates are differences. Undefined when they make none: nothing ran, or the counters
 * went back because the container was started anew in between.
 */
export function toStatsSample(before: StatsMessage, now: StatsMessage): StatsSample | undefined {
  const timeMs = Date.parse(now.read);
  const seconds = (timeMs - Date.parse(before.read)) / 1000;
  const systemNs = now.cpu_stats.system_cpu_usage - before.cpu_stats.system_cpu_usage;
  const ownNs = now.cpu_stats.cpu_usage.total_usage - before.cpu_stats.cpu_usage.total_usage;
  if (!isRunning(before) || !isRunning(now) || !(seconds > 0) || systemNs <= 0 || ownNs < 0) return undefined;
  const perSecond = (total: (message: StatsMessage) => number) =>
    Math.max(0, Math.round((total(now) - total(before)) / seconds));
  return {
    timeMs,
    // Docker's formula: the share of all the machine's time, times the number of its CPUs.
    cpuPercent: (ownNs / systemNs) * (now.cpu_stats.online_cpus || 1) * 100,
    memoryBytes: usedMemory(now),
    memoryLimitBytes: now.memory_stats.limit,
    receivedPerS: perSecond((message) => networkBytes(message, 'rx_bytes')),
    sentPerS: perSecond((message) => networkBytes(message, 'tx_bytes')),
    readPerS: perSecond((message) => diskBytes(message, 'read')),
    writtenPerS: perSecond((message) => diskBytes(message, 'write')),
    processes: now.pids_stats?.current ?? 0,
  };
}

export function isRunning(message: StatsMessage): boolean {
  return Date.parse(message.read) > 0 && message.cpu_stats.system_cpu_usage > 0;
}

/** As the docker command counts: without the page cache that can be dropped at once. */
function usedMemory({ memory_stats: { usage, stats } }: StatsMessage): number {
  const cache = stats?.['inactive_file'] ?? stats?.['total_inactive_file'];
  return typeof cache === 'number' && cache < usage ? usage - cache : usage;
}

function networkBytes({ networks }: StatsMessage, key: 'rx_bytes' | 'tx_bytes'): number {
  return Object.values(networks ?? {}).reduce((sum, network) => sum + network[key], 0);
}

function diskBytes({ blkio_stats: disk }: StatsMessage, op: 'read' | 'write'): number {
  const figures = disk?.io_service_bytes_recursive ?? [];
  return figures.reduce((sum, entry) => (entry.op.toLowerCase() === op ? sum + entry.value : sum), 0);
}
