/** Statistics of the containers that a window looks at, as batches. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerSamples, StatsSample } from '../contract/engine.ts';
import type { StatsFeed } from '../engine/stats-feed.ts';
import type { StreamHandler } from './handlers.ts';

/** Samples of many containers come within the same second and travel together. */
const batchPauseMs = 250;
/** For a window that does not read: the newest of each container are kept. */
const maxWaiting = 3600;

export function statsStream(feed: StatsFeed): StreamHandler<'containers.stats'> {
  return async function* (input, { signal, onMessage }) {
    const watching = new Map<string, () => void>();
    const waiting = new Map<string, StatsSample[]>();
    let wake: () => void = () => undefined;
    const take = (id: string, samples: readonly StatsSample[]) => {
      if (samples.length === 0) return;
      const kept = [...(waiting.get(id) ?? []), ...samples];
      waiting.set(id, kept.slice(-maxWaiting));
      wake();
    };
    const watch = (ids: readonly string[]) => {
      const wanted = new Set(ids);
      for (const [id, stop] of watching) {
        if (wanted.has(id)) continue;
        stop();
        watching.delete(id);
        waiting.delete(id);
      }
      for (const id of wanted) {
        if (watching.has(id)) continue;
        take(id, feed.history(id, Date.now() - input.historyS * 1000));
        watching.set(
          id,
          feed.watch(id, (_id, sample) => take(id, [sample])),
        );
      }
    };
    const abort = () => wake();
    signal.addEventListener('abort', abort);
    try {
      watch(input.ids);
      onMessage(({ ids }) => watch(ids));
      while (!signal.aborted) {
        if (waiting.size === 0) await new Promise<void>((resolve) => (wake = resolve));
        const batch = [...waiting].map(([id, samples]): ContainerSamples => ({ id, samples }));
        waiting.clear();
        if (batch.length > 0) yield { containers: batch };
        await pause(batchPauseMs, signal);
      }
    } finally {
      signal.removeEventListener('abort', abort);
      for (const stop of watching.values()) stop();
    }
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal }).catch(() => undefined);
}
