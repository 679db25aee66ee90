/** The small changes: pause, unpause, rename, resize. */
import { EngineError } from '../../contract/errors.ts';
import type { RunningContainer } from '../runtime/runtime.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { checkContainerName } from './names.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';
import { stopHealth, watchHealth } from './watch-health.ts';

export function pauseContainer(parts: Parts, reference: string): Promise<void> {
  return withRunning(parts, reference, async (record, running) => {
    if (record.state.status === 'paused') {
      throw new EngineError('conflict', `Container ${record.id} is already paused`);
    }
    await running.pause();
    const health = stopHealth(parts, record.id);
    const paused = parts.store.update(record.id, {
      ...(health === undefined ? {} : { health }),
      state: { ...record.state, status: 'paused' },
    });
    publishContainerEvent(parts, paused, 'pause');
  });
}

export function unpauseContainer(parts: Parts, reference: string): Promise<void> {
  return withRunning(parts, reference, async (record, running) => {
    if (record.state.status !== 'paused') {
      throw new EngineError('conflict', `Container ${record.id} is not paused`);
    }
    await running.resume();
    const resumed = parts.store.update(record.id, { state: { ...record.state, status: 'running' } });
    publishContainerEvent(parts, resumed, 'unpause');
    watchHealth(parts, resumed);
  });
}

export async function renameContainer(parts: Parts, reference: string, newName: string): Promise<void> {
  if (newName === '') throw new EngineError('invalid-parameter', 'Neither old nor new names may be empty');
  const name = checkNewName(newName);
  const { id } = parts.store.find(reference);
  await parts.live.of(id).lock.run(() => {
    const before = parts.store.find(id);
    if (before.name === name) {
      throw new EngineError('invalid-parameter', 'Renaming a container with the same name as its current name');
    }
    const after = parts.store.update(id, { name });
    parts.network.rename(id, name);
    publishContainerEvent(parts, after, 'rename', { oldName: `/${before.name}` });
    return Promise.resolve();
  });
}

function checkNewName(newName: string): string {
  try {
    return checkContainerName(newName.startsWith('/') ? newName : `/${newName}`);
  } catch (error) {
    throw new EngineError('invalid-parameter', `Error when allocating new name: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Not under the lock: a resize must not wait behind a stop. */
export async function resizeContainer(
  parts: Parts,
  reference: string,
  size: { columns: number; rows: number },
): Promise<void> {
  const record = parts.store.find(reference);
  const { running } = parts.live.of(record.id);
  if (running === undefined) throw new EngineError('conflict', `Container ${record.id} is not running`);
  await running.resize(size);
  publishContainerEvent(parts, record, 'resize', { height: String(size.rows), width: String(size.columns) });
}

async function withRunning(
  parts: Parts,
  reference: string,
  work: (record: ContainerRecord, running: RunningContainer) => Promise<void>,
): Promise<void> {
  const { id } = parts.store.find(reference);
  const live = parts.live.of(id);
  await live.lock.run(async () => {
    const { running } = live;
    if (running === undefined) throw new EngineError('conflict', `Container ${id} is not running`);
    await work(parts.store.find(id), running);
  });
}
