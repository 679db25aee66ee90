/** Restarts: by the user, and by the policy after a container ended by itself. */
import { EngineError } from '../../contract/errors.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';
import { startContainer, startLocked } from './start-container.ts';
import { stopContainer } from './stop-container.ts';
import type { StopOptions } from './stop-container.ts';

/** Stops the container when it runs, then starts it. */
export async function restartContainer(parts: Parts, reference: string, options: StopOptions): Promise<void> {
  const { id } = parts.store.find(reference);
  const live = parts.live.of(id);
  live.restarting = true;
  try {
    await stopContainer(parts, id, options, { byUser: false }).catch(ignoreUnchanged);
  } finally {
    live.restarting = false;
  }
  await startContainer(parts, id).catch(ignoreUnchanged);
  publishContainerEvent(parts, parts.store.find(id), 'restart');
}

/** The automatic restart that `scheduleRestart` has arranged. As with Docker, one that cannot be started is not tried again. */
export async function restartNow(parts: Parts, id: string): Promise<void> {
  const live = parts.live.of(id);
  await live.lock.run(async () => {
    const record = parts.store.get(id);
    // Stopped, removed or started by hand meanwhile.
    if (record?.state.status !== 'restarting' || live.restart === undefined) return;
    live.restart = undefined;
    parts.store.update(id, { restartCount: record.restartCount + 1 });
    await startLocked(parts, id);
  });
}

function ignoreUnchanged(error: unknown): void {
  if (!(error instanceof EngineError && error.code === 'not-modified')) throw error;
}
