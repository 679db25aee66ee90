/** `GET /containers/:id/stats`: samples once a second, each with the one before, as the CLI needs them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerRecord } from '../state/container-record.ts';
import { containerPaths } from './parts.ts';
import type { Parts, StatsSample } from './parts.ts';

const intervalMs = 1000;

const noTime = '0001-01-01T00:00:00Z';

/**
 * `streams`: until the client leaves or the container is gone. Else one sample: at once (`oneShot`), or after a second,
 * so that it has one before.
 */
export async function* containerStats(
  parts: Parts,
  reference: string,
  options: { readonly streams: boolean; readonly oneShot: boolean },
  signal: AbortSignal,
): AsyncGenerator<object> {
  const { id } = parts.store.find(reference);
  let before: StatsSample | undefined;
  if (!options.streams && !options.oneShot) {
    before = await sample(parts, parts.store.find(id));
    if (before !== undefined) await sleep(intervalMs, undefined, { signal });
  }
  for (;;) {
    const record = parts.store.get(id);
    if (record === undefined || signal.aborted) return;
    const now = await sample(parts, record);
    yield describe(record, now, before);
    if (!options.streams) return;
    before = now;
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

async function sample(parts: Parts, record: ContainerRecord): Promise<StatsSample | undefined> {
  if (record.state.pid === 0) return undefined;
  return parts.readStats(containerPaths(parts.config, record.id).cgroup, record.state.pid);
}

function describe(record: ContainerRecord, now: StatsSample | undefined, before: StatsSample | undefined): object {
  const empty = { cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 }, throttling_data: {} };
  return {
    name: `/${record.name}`,
    id: record.id,
    num_procs: 0,
    storage_stats: {},
    ...(now ?? { read: noTime, cpu_stats: empty, memory_stats: {}, pids_stats: {}, blkio_stats: {} }),
    preread: before?.read ?? noTime,
    precpu_stats: before?.cpu_stats ?? empty,
  };
}
