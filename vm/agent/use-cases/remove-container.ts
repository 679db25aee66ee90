/** Removes a container with its writable layer, files and anonymous volumes. */
import { rm } from 'node:fs/promises';
import { EngineError } from '../../contract/errors.ts';
import { errorText, log } from '../log.ts';
import { isRunning } from '../state/container-record.ts';
import { killContainer } from './kill-container.ts';
import { containerPaths, publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';
import { removeRunFolder } from './shared-memory.ts';

export interface RemoveOptions {
  readonly force?: boolean;
  /** Anonymous volumes too. */
  readonly volumes?: boolean;
}

/** Throws `conflict`, in Docker's words, when the container runs and `force` is not set. */
export async function removeContainer(parts: Parts, reference: string, options: RemoveOptions): Promise<void> {
  const { id } = parts.store.find(reference);
  const live = parts.live.of(id);
  if (options.force === true) await endNow(parts, id);
  await live.lock.run(async () => {
    const record = parts.store.get(id);
    // Removed by itself (--rm) while this request waited.
    if (record === undefined) return;
    if (isRunning(record)) {
      const hint = record.state.status === 'paused' ? 'unpause and then stop' : 'stop';
      throw new EngineError(
        'conflict',
        `cannot remove container "/${record.name}": container is ${record.state.status}: ${hint} the container before removing or force remove`,
      );
    }
    await removeStopped(parts, id, options);
  });
}

/**
 * The caller holds the lock and the container does not run. Can be cut short anywhere: the record says `removing` first
 * and goes last, so that the next start of the agent finishes it.
 */
export async function removeStopped(parts: Parts, id: string, options: RemoveOptions): Promise<void> {
  const record = parts.store.find(id);
  const live = parts.live.of(id);
  clearTimeout(live.restart?.timer);
  live.restart = undefined;
  const { exitCode } = record.state;
  parts.store.update(id, { state: { ...record.state, status: 'removing' } });
  try {
    const paths = containerPaths(parts.config, id);
    await parts.network.detach(id);
    await parts.images.removeRoot(id);
    await removeRunFolder(parts, record);
    await rm(paths.dir, { recursive: true, force: true });
  } catch (error) {
    parts.store.update(id, { state: { ...record.state, status: 'dead', error: errorText(error) } });
    throw new EngineError('system', `cannot remove container "/${record.name}": ${errorText(error)}`, { cause: error });
  }
  parts.store.remove(id);
  parts.execs.forgetContainer(id);
  if (options.volumes === true) {
    for (const mount of record.mounts) {
      if (mount.Name === undefined) continue;
      await parts.volumes
        .removeAnonymous(mount.Name, (name) => usersOfVolume(parts, name))
        .catch((error: unknown) => log.warn(`volume ${mount.Name ?? ''}`, error));
    }
  }
  publishContainerEvent(parts, record, 'destroy');
  for (const pending of live.pending) pending.end();
  live.tellRemoved({ exitCode });
  parts.live.forget(id);
}

/** Ids of the containers that mount this volume. */
export function usersOfVolume(parts: Pick<Parts, 'store'>, name: string): string[] {
  return parts.store
    .all()
    .filter((record) => record.mounts.some((mount) => mount.Name === name))
    .map((record) => record.id);
}

async function endNow(parts: Parts, id: string): Promise<void> {
  const record = parts.store.get(id);
  if (record === undefined || !isRunning(record)) return;
  await killContainer(parts, id, 'KILL').catch((error: unknown) => {
    // It ended by itself in between.
    if (!(error instanceof EngineError && (error.code === 'conflict' || error.code === 'not-found'))) throw error;
  });
}
