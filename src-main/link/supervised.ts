/** Keeps one SSH connection alive: opens it, watches it, opens the next one when it is lost. */
import { EventEmitter, once } from 'node:events';
import { AppError } from '../contract/errors.ts';
import { delay, raceAbort, withDeadline } from '../wait.ts';
import { SshSession, type KeepAlive, type LinkTarget } from './session.ts';

const firstPauseMs = 100;
/** A guest that boots refuses connections until its server listens: it is asked often, each time counts. */
const longestPauseMs = { connecting: 300, up: 300, down: 3000 } as const;

export type ConnectionState = 'connecting' | 'up' | 'down';

export class SupervisedConnection implements AsyncDisposable {
  readonly #target: LinkTarget;
  readonly #keepAlive: KeepAlive;
  readonly #events = new EventEmitter<{ change: [] }>();
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;
  #session: SshSession | undefined;
  #state: ConnectionState = 'connecting';
  #lastError: Error | undefined;

  constructor(target: LinkTarget, keepAlive: KeepAlive) {
    this.#target = target;
    this.#keepAlive = keepAlive;
    this.#events.setMaxListeners(0);
    this.#running = this.#supervise();
  }

  /** `connecting` until the first success, then `up` or `down`. */
  get state(): ConnectionState {
    return this.#state;
  }

  onChange(listener: () => void): () => void {
    this.#events.on('change', listener);
    return () => this.#events.off('change', listener);
  }

  /** The live session; waits for it up to `waitMs`. @throws AppError `link-lost`. */
  async session(waitMs: number, signal?: AbortSignal): Promise<SshSession> {
    if (this.#session?.isLost === false) return this.#session;
    const wait = async (inner: AbortSignal): Promise<SshSession> => {
      const either = AbortSignal.any([inner, this.#ended.signal]);
      for (;;) {
        if (this.#session?.isLost === false) return this.#session;
        await once(this.#events, 'change', { signal: either });
      }
    };
    try {
      return await withDeadline('wait for the link', waitMs, wait, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw new AppError('link-lost', `reach the guest: ${(this.#lastError ?? (error as Error)).message}`, {
        hint: 'Wherry keeps trying. If it lasts, see: wherry doctor',
        cause: error,
      });
    }
  }

  /** Cuts the present connection, so that a fresh one is made at once. */
  rebuild(reason: string): void {
    this.#session?.destroy(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new AppError('link-lost', 'the link was taken down'));
    this.#session?.destroy('the link was taken down');
    await this.#running;
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#ended;
    let pauseMs = firstPauseMs;
    const over = (): boolean => signal.aborted;
    while (!over()) {
      try {
        const session = await SshSession.open(this.#target, this.#keepAlive, signal);
        pauseMs = firstPauseMs;
        this.#set('up', session);
        this.#lastError = new Error(await raceAbort(session.closed, signal));
        this.#set('down', undefined);
      } catch (error) {
        if (over()) break;
        this.#lastError = error as Error;
        await delay(pauseMs, signal).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs[this.#state]);
      }
    }
    this.#session?.destroy('the link was taken down');
    this.#session = undefined;
  }

  #set(state: ConnectionState, session: SshSession | undefined): void {
    this.#state = state;
    this.#session = session;
    this.#events.emit('change');
  }
}
