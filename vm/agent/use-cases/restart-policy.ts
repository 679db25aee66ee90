/** Docker's restart policies. Pure. */
import type { HostConfig } from '../state/container-record.ts';

const firstDelayMs = 100;
const maxDelayMs = 60_000;
/** A run this long counts as good: the delay starts anew. */
const goodRunMs = 10_000;

/** Whether a container that ended by itself is to be started again. `restartCount`: automatic restarts so far. */
export function wantsRestart(policy: HostConfig['RestartPolicy'], exitCode: number, restartCount: number): boolean {
  switch (policy.Name) {
    case 'no':
      return false;
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.MaximumRetryCount === 0 || restartCount < policy.MaximumRetryCount);
  }
}

/** Whether a container that was not running is to be started with the engine. */
export function startsWithEngine(policy: HostConfig['RestartPolicy'], wasRunning: boolean, stopped: boolean): boolean {
  switch (policy.Name) {
    case 'no':
      return false;
    case 'always':
      return true;
    case 'unless-stopped':
      return !stopped;
    case 'on-failure':
      return wasRunning;
  }
}

/** The delay before the next restart, from the one before. */
export function restartDelay(previousMs: number, ranMs: number): number {
  if (previousMs === 0 || ranMs >= goodRunMs) return firstDelayMs;
  return Math.min(previousMs * 2, maxDelayMs);
}
