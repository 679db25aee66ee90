/** Stops all containers before the machine goes down. They start again by their restart policies. */
import { EngineError } from '../../contract/errors.ts';
import { errorText, log } from '../log.ts';
import { isRunning } from '../state/container-record.ts';
import type { Parts } from './parts.ts';
import { stopContainer } from './stop-container.ts';

export async function stopAll(parts: Parts, timeoutSeconds: number): Promise<void> {
  const records = parts.store.all();
  for (const record of records) clearTimeout(parts.live.of(record.id).restart?.timer);
  await Promise.all(
    records.filter(isRunning).map(async (record) => {
      const ownSeconds = record.config.StopTimeout ?? timeoutSeconds;
      const limit = ownSeconds < 0 ? timeoutSeconds : Math.min(ownSeconds, timeoutSeconds);
      await stopContainer(parts, record.id, { timeoutSeconds: limit }, { byUser: false }).catch((error: unknown) => {
        if (!(error instanceof EngineError && error.code === 'not-modified')) {
          log.warn(`stop ${record.name}: ${errorText(error)}`);
        }
      });
    }),
  );
}
