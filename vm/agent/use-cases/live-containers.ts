/** What is alive of a container and cannot be stored: its process, the operation now at work on it, who waits for what. */
import type { RunningContainer } from '../runtime/runtime.ts';
import type { Health } from '../state/container-record.ts';
import { Copies } from './copies.ts';
import { Mutex } from './mutex.ts';

/** How a run of a container ended, when it is not to be restarted. */
export interface FinalExit {
  readonly exitCode: number;
}

/** Joins a waiting client to the process just created, before it runs. */
export type PendingAttach = (running: RunningContainer) => Promise<void>;

export class LiveContainer {
  /** Held by whatever changes the container's state; waiting for an end is done without it. */
  readonly lock = new Mutex();
  readonly copies = new Copies();
  running: RunningContainer | undefined;
  /** Clients that attached before the start; `end` tells them that there will be none. */
  readonly pending = new Set<{ readonly join: PendingAttach; readonly end: () => void }>();
  /** Set while a stop is under way, so that the end is not answered with a restart. */
  stopping = false;
  /** Set while it is stopped only to be started again: it is then not removed (`--rm`). */
  restarting = false;
  restart: { timer: NodeJS.Timeout; delayMs: number } | undefined;
  /** Its health check at work (`watch-health.ts`); undefined while it is not probed. */
  health: { current: Health; readonly stop: () => void } | undefined;
  /** Delay before the next automatic restart; grows with each short run. */
  nextDelayMs = 0;
  private readonly onExit = new Set<(exit: FinalExit) => void>();
  private readonly onRemoved = new Set<(exit: FinalExit) => void>();

  /** The next end that is not followed by an automatic restart. */
  nextExit(signal: AbortSignal): Promise<FinalExit> {
    return waitIn(this.onExit, signal);
  }

  removed(signal: AbortSignal): Promise<FinalExit> {
    return waitIn(this.onRemoved, signal);
  }

  tellExit(exit: FinalExit): void {
    tell(this.onExit, exit);
  }

  tellRemoved(exit: FinalExit): void {
    tell(this.onExit, exit);
    tell(this.onRemoved, exit);
  }
}

export class LiveContainers {
  private readonly byId = new Map<string, LiveContainer>();

  /** Made on first use. */
  of(id: string): LiveContainer {
    let live = this.byId.get(id);
    if (live === undefined) {
      live = new LiveContainer();
      this.byId.set(id, live);
    }
    return live;
  }

  forget(id: string): void {
    this.byId.delete(id);
  }

  /** Lets go of all processes; they live on with their monitors. */
  detachAll(): void {
    for (const live of this.byId.values()) {
      clearTimeout(live.restart?.timer);
      live.health?.stop();
      live.running?.detach();
    }
  }
}

function waitIn(listeners: Set<(exit: FinalExit) => void>, signal: AbortSignal): Promise<FinalExit> {
  return new Promise((resolve, reject) => {
    const listener = (exit: FinalExit): void => {
      signal.removeEventListener('abort', abort);
      resolve(exit);
    };
    const abort = (): void => {
      listeners.delete(listener);
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    if (signal.aborted) {
      abort();
      return;
    }
    listeners.add(listener);
    signal.addEventListener('abort', abort, { once: true });
  });
}

function tell(listeners: Set<(exit: FinalExit) => void>, exit: FinalExit): void {
  const all = [...listeners];
  listeners.clear();
  for (const listener of all) listener(exit);
}
