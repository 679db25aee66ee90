/** What follows when a container's process has ended: record, network, restart policy, removal. */
import { errorText, log } from '../log.ts';
import type { ExitRecord, RunningContainer } from '../runtime/runtime.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { tellDisconnected } from './container-network.ts';
import { publishContainerEvent, publishVolumeEvents } from './parts.ts';
import type { Parts } from './parts.ts';
import { removeStopped } from './remove-container.ts';
import { removeRunFolder } from './shared-memory.ts';
import { restartDelay, wantsRestart } from './restart-policy.ts';
import { stopHealth } from './watch-health.ts';

/** Handles the end of this process once, whenever it comes. */
export function watchForExit(parts: Parts, id: string, running: RunningContainer): void {
  running.exited
    .then((exit) => parts.live.of(id).lock.run(() => handleExit(parts, id, exit)))
    .catch((error: unknown) => log.error(`the end of container ${id}`, error));
}

/** The caller holds the container's lock. Also used for containers found ended at the agent's start. */
export async function handleExit(parts: Parts, id: string, exit: ExitRecord): Promise<void> {
  const before = parts.store.get(id);
  if (before === undefined) return;
  const live = parts.live.of(id);
  live.running?.detach();
  live.running = undefined;
  const health = stopHealth(parts, id);
  const endpoints = parts.network.endpointsOf(id);
  await parts.network.detach(id).catch((error: unknown) => log.warn(`detach ${before.name}`, error));
  await parts.volumeUse.release(id);
  await removeRunFolder(parts, before);
  const ranMs = Math.max(0, Date.parse(exit.finishedAt) - Date.parse(before.state.startedAt));
  const stopped = live.stopping || before.manuallyStopped;
  const restart = !stopped && wantsRestart(before.hostConfig.RestartPolicy, exit.exitCode, before.restartCount);
  const after = parts.store.update(id, {
    ...(health === undefined ? {} : { health }),
    state: {
      status: restart ? 'restarting' : 'exited',
      pid: 0,
      exitCode: exit.exitCode,
      error: '',
      oomKilled: exit.oomKilled,
      startedAt: before.state.startedAt,
      finishedAt: exit.finishedAt,
    },
  });
  if (exit.oomKilled) publishContainerEvent(parts, after, 'oom');
  publishContainerEvent(parts, after, 'die', {
    execDuration: String(Math.floor(ranMs / 1000)),
    exitCode: String(exit.exitCode),
  });
  tellDisconnected(parts, id, endpoints);
  publishVolumeEvents(parts, after, 'unmount');
  if (restart) {
    live.nextDelayMs = restartDelay(live.nextDelayMs, ranMs);
    scheduleRestart(parts, id, live.nextDelayMs);
    return;
  }
  await afterFinalExit(parts, after);
}

/** Starts the container again after the delay; anything that starts, stops or removes it before calls that off. */
export function scheduleRestart(parts: Parts, id: string, delayMs: number): void {
  const live = parts.live.of(id);
  clearTimeout(live.restart?.timer);
  const timer = setTimeout(() => {
    parts.restartNow(id).catch((error: unknown) => log.warn(`automatic restart of ${id}: ${errorText(error)}`));
  }, delayMs);
  live.restart = { timer, delayMs };
}

async function afterFinalExit(parts: Parts, record: ContainerRecord): Promise<void> {
  const { exitCode } = record.state;
  if (parts.live.of(record.id).restarting) return;
  if (record.hostConfig.AutoRemove) {
    await removeStopped(parts, record.id, { volumes: true }).catch((error: unknown) => {
      log.error(`remove ${record.name} after its end`, error);
      parts.live.of(record.id).tellExit({ exitCode });
    });
  } else parts.live.of(record.id).tellExit({ exitCode });
}
