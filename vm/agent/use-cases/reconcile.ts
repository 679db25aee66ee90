/** At the agent's start: compares what is on record with what really runs, repairs, reports. */
import { readdir, rm } from 'node:fs/promises';
import { errorText, log } from '../log.ts';
import type { RunningContainer } from '../runtime/runtime.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { isRunning } from '../state/container-record.ts';
import { handleExit, watchForExit } from './container-exit.ts';
import { removeMergedRoots } from './merged-root.ts';
import { removeBoundSubpaths } from './open-beneath.ts';
import { containerPaths } from './parts.ts';
import type { Parts } from './parts.ts';
import { removeStopped } from './remove-container.ts';
import { startsWithEngine } from './restart-policy.ts';
import { startContainer } from './start-container.ts';
import { watchHealth } from './watch-health.ts';

export interface ReconcileReport {
  readonly running: number;
  /** Ended while the agent was away. */
  readonly ended: number;
  readonly removed: number;
  readonly leftovers: number;
}

/** How a container is said to have ended when nobody was there to see it, as after a power cut. */
const lostExitCode = 255;
const killed = 9;

export async function reconcile(parts: Parts): Promise<ReconcileReport> {
  await removeMergedRoots(parts.config);
  const wasRunning = new Set(
    parts.store
      .all()
      .filter(isRunning)
      .map((record) => record.id),
  );
  const found = await Promise.all(parts.store.all().map((record) => findProcess(parts, record)));
  const running = found.filter((entry) => entry !== undefined);
  await parts.network.restore(
    running.map(({ record, process }) => ({
      containerId: record.id,
      containerName: record.name,
      pid: process.pid,
    })),
  );
  for (const { record, process } of running) await adopt(parts, record, process);
  await parts.volumeUse.unmountUnused();
  await parts.volumes.removeLeftovers();
  await removeBoundSubpaths(parts.config.runDir);
  const adopted = new Set(running.map(({ record }) => record.id));
  let ended = 0;
  for (const record of parts.store.all()) {
    if (!isRunning(record) || adopted.has(record.id)) continue;
    await recordLostEnd(parts, record);
    ended += 1;
  }
  const removed = await finishRemovals(parts);
  const leftovers = await removeLeftovers(parts);
  startByPolicy(parts, wasRunning);
  const report = { running: running.length, ended, removed, leftovers };
  log.info(`reconciled: ${JSON.stringify(report)}`);
  return report;
}

/** The live process of a container on record as running. Any other live one is half a start: it is ended. */
async function findProcess(
  parts: Parts,
  record: ContainerRecord,
): Promise<{ record: ContainerRecord; process: RunningContainer } | undefined> {
  const paths = containerPaths(parts.config, record.id);
  try {
    const process = await parts.runtime.reattach({
      id: record.id,
      runDir: paths.runDir,
      cgroup: paths.cgroup,
      exitRecordPath: paths.exitRecord,
    });
    if (process === undefined) return undefined;
    if (isRunning(record) && record.isBuildStep !== true) return { record, process };
    log.warn(`${record.name} was being started, or was a build's, when the agent ended; it is taken back`);
    await process.kill(killed);
    await process.exited;
    process.detach();
  } catch (error) {
    log.warn(`${record.name} could not be found again: ${errorText(error)}`);
  }
  return undefined;
}

async function adopt(parts: Parts, record: ContainerRecord, process: RunningContainer): Promise<void> {
  await parts.live.of(record.id).lock.run(async () => {
    await parts.volumeUse.acquire(record).catch((error: unknown) => log.warn(`volumes of ${record.name}`, error));
    parts.live.of(record.id).running = process;
    if (process.pid !== record.state.pid) {
      parts.store.update(record.id, { state: { ...record.state, pid: process.pid } });
    }
    watchForExit(parts, record.id, process);
    watchHealth(parts, parts.store.find(record.id));
  });
}

/** Ended with a record of its exit, or without one when the machine went down under it. */
async function recordLostEnd(parts: Parts, record: ContainerRecord): Promise<void> {
  const exit = await parts.runtime.readExitRecord(containerPaths(parts.config, record.id).exitRecord);
  await parts.live
    .of(record.id)
    .lock.run(() =>
      handleExit(
        parts,
        record.id,
        exit ?? { exitCode: lostExitCode, oomKilled: false, finishedAt: new Date().toISOString() },
      ),
    );
}

async function finishRemovals(parts: Parts): Promise<number> {
  let removed = 0;
  for (const record of parts.store.all()) {
    const isLeftover =
      record.isBuildStep === true || (record.hostConfig.AutoRemove && record.state.status === 'exited');
    if (record.state.status !== 'removing' && !isLeftover) continue;
    try {
      await parts.live.of(record.id).lock.run(() => removeStopped(parts, record.id, { volumes: isLeftover }));
      removed += 1;
    } catch (error) {
      log.warn(`the removal of ${record.name} could not be finished: ${errorText(error)}`);
    }
  }
  return removed;
}

/** Folders of containers that are not on record: a creation or removal cut short. */
async function removeLeftovers(parts: Parts): Promise<number> {
  let count = 0;
  for (const root of [`${parts.config.dataDir}/containers`, `${parts.config.runDir}/c`]) {
    const names = await readdir(root).catch(() => [] as string[]);
    for (const name of names) {
      if (!/^[0-9a-f]{64}$/.test(name) || parts.store.get(name) !== undefined) continue;
      log.info(`removing what is left of container ${name}`);
      await parts.images.removeRoot(name).catch((error: unknown) => log.warn(`leftover ${name}`, error));
      await rm(`${root}/${name}`, { recursive: true, force: true });
      count += 1;
    }
  }
  return count;
}

/** In the background: the engine answers while containers start. */
function startByPolicy(parts: Parts, wasRunning: ReadonlySet<string>): void {
  for (const record of parts.store.all()) {
    if (isRunning(record) || parts.live.of(record.id).restart !== undefined) continue;
    const { RestartPolicy } = record.hostConfig;
    const ran = wasRunning.has(record.id) || record.state.status === 'restarting';
    if (record.state.status === 'created' && RestartPolicy.Name !== 'always') continue;
    if (!startsWithEngine(RestartPolicy, ran, record.manuallyStopped)) continue;
    startContainer(parts, record.id).catch((error: unknown) =>
      log.warn(`start of ${record.name} by its restart policy: ${errorText(error)}`),
    );
  }
}
