/** `POST /containers/:id/update`: restart policy and limits; limits of a running container take effect at once. */
import { availableParallelism } from 'node:os';
import { EngineError } from '../../contract/errors.ts';
import type { ContainerRecord, HostConfig } from '../state/container-record.ts';
import { checkResources, parseRestartPolicy } from './check-host-config.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';

type UpdatableLimits = Pick<
  HostConfig,
  | 'BlkioWeight'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpuShares'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'Memory'
  | 'MemoryReservation'
  | 'MemorySwap'
  | 'NanoCpus'
  | 'PidsLimit'
>;

/** What is not given stays. */
export type UpdateRequest = Partial<UpdatableLimits> & {
  readonly RestartPolicy?: { readonly Name: string; readonly MaximumRetryCount: number };
};

/** Returns warnings. */
export async function updateContainer(parts: Parts, reference: string, request: UpdateRequest): Promise<string[]> {
  const { id } = parts.store.find(reference);
  const { RestartPolicy, ...limits } = request;
  await parts.live.of(id).lock.run(async () => {
    const record = parts.store.find(id);
    checkUpdatable(record, request);
    checkProcessors(record, request);
    const hostConfig: HostConfig = {
      ...record.hostConfig,
      ...limits,
      ...(RestartPolicy === undefined || RestartPolicy.Name === ''
        ? {}
        : { RestartPolicy: parseRestartPolicy(RestartPolicy) }),
    };
    checkResources(hostConfig, availableParallelism());
    const changed: ContainerRecord = { ...record, hostConfig };
    if (parts.live.of(id).running !== undefined && Object.keys(limits).length > 0) {
      await parts.applyLimits(changed);
    }
    publishContainerEvent(parts, parts.store.update(id, { hostConfig }), 'update');
  });
  return [];
}

/** A limit counts by whole processors or by time, and an update does not change which. */
function checkProcessors(record: ContainerRecord, { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0 }: UpdateRequest): void {
  const now = record.hostConfig;
  const refuse = (what: string, why: string): EngineError =>
    refusal(record, 'conflict', `Conflicting options: ${what} cannot be updated as ${why} has already been set`);
  if (NanoCpus > 0 && now.CpuPeriod > 0) throw refuse('Nano CPUs', 'CPU Period');
  if (NanoCpus > 0 && now.CpuQuota > 0) throw refuse('Nano CPUs', 'CPU Quota');
  if (CpuPeriod > 0 && now.NanoCpus > 0) throw refuse('CPU Period', 'NanoCPUs');
  if (CpuQuota > 0 && now.NanoCpus > 0) throw refuse('CPU Quota', 'NanoCPUs');
}

function refusal(record: ContainerRecord, code: 'conflict' | 'invalid-parameter', why: string): EngineError {
  return new EngineError(code, `Cannot update container ${record.id}: ${why}`);
}

function checkUpdatable(record: ContainerRecord, { RestartPolicy, Memory = 0, MemorySwap = 0 }: UpdateRequest): void {
  if (record.state.status === 'removing' || record.state.status === 'dead') {
    throw refusal(record, 'conflict', 'Container is marked for removal and cannot be "update".');
  }
  const { AutoRemove, MemorySwap: swapNow } = record.hostConfig;
  if (AutoRemove && RestartPolicy !== undefined && !['', 'no'].includes(RestartPolicy.Name)) {
    throw refusal(
      record,
      'invalid-parameter',
      'Restart policy cannot be updated because AutoRemove is enabled for the container',
    );
  }
  if (Memory > 0 && MemorySwap === 0 && swapNow > 0 && Memory > swapNow) {
    const why =
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
    throw refusal(record, 'conflict', why);
  }
}
