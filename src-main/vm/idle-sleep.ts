/** Puts a VM that nobody uses to sleep, after as long as the settings say. */
import type { Settings } from '../contract/vm.ts';
import { AppError } from '../contract/errors.ts';
import type { VmService } from '../services.ts';
import { delay } from '../wait.ts';

const lookEveryMs = 5000;
/** The kernel reports free memory every two seconds, a part at a time: what is given back is not saved. */
const giveBackMs = 6000;

export interface IdleSleepOptions {
  readonly vm: Pick<VmService, 'view' | 'sleep'>;
  readonly settings: () => Pick<Settings, 'sleepAfterMinutes'>;
  /** As far as is known on this side: a container runs; a terminal, a docker client, a task is open. */
  readonly isBusy: () => boolean;
  /** Has the guest free memory; rejects with `engine` and status 409 when anything goes on in it. */
  readonly prepare: (signal: AbortSignal) => Promise<void>;
  /** Whether a container runs, asked of the engine now. */
  readonly hasRunningContainers: (signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class IdleSleep implements Disposable {
  readonly #options: IdleSleepOptions;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #usedAtMs: number;
  /** A VM that cannot sleep is not asked again: when it became ready. */
  #refusedSinceMs: number | undefined;
  #trying = false;

  constructor(options: IdleSleepOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#usedAtMs = this.#now();
    this.#timer = setInterval(() => void this.look(), lookEveryMs);
    this.#timer.unref();
  }

  /** Somebody has just used it. */
  touch(): void {
    this.#usedAtMs = this.#now();
  }

  /** Looks whether it is time, and does it. Resolves when nothing is under way any more; never rejects. */
  async look(): Promise<void> {
    if (this.#trying) return;
    const { vm, settings, isBusy } = this.#options;
    const { state } = vm.view;
    const readySinceMs = state.kind === 'ready' ? state.sinceMs : undefined;
    if (isBusy() || readySinceMs === undefined || readySinceMs === this.#refusedSinceMs) this.touch();
    if (!isDue(settings().sleepAfterMinutes, this.#now() - this.#usedAtMs)) return;
    this.#trying = true;
    try {
      await this.#try(this.#abort.signal);
    } catch (error) {
      // Not possible here at all: told to who asks for it (`wherry sleep`), not to who did not.
      if (error instanceof AppError && error.code === 'unsupported') this.#refusedSinceMs = readySinceMs;
      this.touch();
    } finally {
      this.#trying = false;
    }
  }

  async #try(signal: AbortSignal): Promise<void> {
    const { vm, prepare, hasRunningContainers, isBusy, pause = delay } = this.#options;
    const usedAtMs = this.#usedAtMs;
    const isUsed = async (): Promise<boolean> =>
      isBusy() || this.#usedAtMs !== usedAtMs || (await hasRunningContainers(signal));
    if (!(await isUsed())) {
      await prepare(signal);
      await pause(giveBackMs, signal);
    }
    if (await isUsed()) this.touch();
    else await vm.sleep(true, signal);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#abort.abort();
  }
}

/** @param afterMinutes 0: never */
export function isDue(afterMinutes: number, idleMs: number): boolean {
  return afterMinutes > 0 && idleMs >= afterMinutes * 60_000;
}
