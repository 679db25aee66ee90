/** One clock for all relative times: a tick every 10 s while the window is visible. */
import { useSyncExternalStore } from 'react';

const tickMs = 10_000;
let now = Date.now();
const listeners = new Set<() => void>();

function tick(): void {
  if (document.hidden) return;
  now = Date.now();
  for (const listener of listeners) listener();
}

setInterval(tick, tickMs);
document.addEventListener('visibilitychange', tick);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
