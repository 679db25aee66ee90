/** Statistics of made-up containers: waves by time and id, so that a history and what follows it fit together. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatsSample } from '../../src-main/contract/engine.ts';
import type { StreamHandler } from '../../src-main/handlers/handlers.ts';

function sampleAt(id: string, timeMs: number): StatsSample {
  const seed = Number.parseInt(id.slice(0, 6), 16) % 97;
  const wave = (periodS: number) => (Math.sin(timeMs / 1000 / periodS + seed) + 1) / 2;
  return {
    timeMs,
    cpuPercent: 4 + (seed % 40) * wave(7) + 3 * wave(1.3),
    memoryBytes: 40_000_000 + seed * 2_000_000 * (0.6 + wave(41)),
    memoryLimitBytes: 268_435_456,
    receivedPerS: Math.round(90_000 * wave(11)),
    sentPerS: Math.round(30_000 * wave(5)),
    readPerS: Math.round(400_000 * wave(23) ** 8),
    writtenPerS: Math.round(120_000 * wave(13) ** 2),
    processes: 3 + Math.round(4 * wave(31)),
  };
}

/** @param onWatch told each time which containers are watched */
export function fakeStats(onWatch: (ids: readonly string[]) => void): StreamHandler<'containers.stats'> {
  return async function* (input, { signal, onMessage }) {
    let ids = input.ids;
    onWatch(ids);
    onMessage((message) => {
      ids = message.ids;
      onWatch(ids);
    });
    const started = new Set<string>();
    while (!signal.aborted) {
      const nowMs = Math.floor(Date.now() / 1000) * 1000;
      const containers = ids.map((id) => {
        const count = started.has(id) ? 1 : Math.min(input.historyS, 600);
        started.add(id);
        const samples = Array.from({ length: count }, (_, index) => sampleAt(id, nowMs - (count - 1 - index) * 1000));
        return { id, samples };
      });
      if (containers.length > 0) yield { containers };
      await sleep(1000, undefined, { signal }).catch(() => undefined);
    }
    onWatch([]);
  };
}
