/** The link to the guest: one supervised SSH connection per purpose, so that bulk data never delays control. */
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { AppError } from '../contract/errors.ts';
import type { GuestLink, GuestShell, GuestShellRequest, Unsubscribe } from '../services.ts';
import type { LinkTarget, SshSession } from './session.ts';
import { SupervisedConnection } from './supervised.ts';

export type LinkPurpose = 'control' | 'stream' | 'bulk';
export type LinkState = 'none' | 'connecting' | 'up' | 'down';

/** How long a caller waits for a link that is being rebuilt. */
const waitForLinkMs = 20_000;
const keepAlives = {
  control: { intervalMs: 5000, misses: 4 },
  stream: { intervalMs: 10_000, misses: 3 },
  bulk: { intervalMs: 10_000, misses: 3 },
} as const;
const watchdogMs = 1000;
/** The event loop was away this long: the host slept, or was stopped. Connections may be dead without knowing. */
const gapMs = 8000;

export class Link implements GuestLink, AsyncDisposable {
  readonly #events = new EventEmitter<{ state: [LinkState]; up: []; gap: [] }>();
  readonly #watchdog: NodeJS.Timeout;
  #target: LinkTarget | undefined;
  #connections = new Map<LinkPurpose, SupervisedConnection>();
  #lastTick = Date.now();
  #wasDown = false;

  constructor() {
    this.#events.setMaxListeners(0);
    this.#watchdog = setInterval(() => this.#tick(), watchdogMs);
    this.#watchdog.unref();
  }

  get state(): LinkState {
    return this.#connections.get('control')?.state ?? 'none';
  }

  /** Starts connecting to a guest and keeps connected until `disconnect`. */
  async connect(target: LinkTarget): Promise<void> {
    await this.disconnect();
    this.#target = target;
    this.#wasDown = false;
    this.#connection('control');
  }

  async disconnect(): Promise<void> {
    const connections = [...this.#connections.values()];
    this.#connections = new Map();
    this.#target = undefined;
    await Promise.all(connections.map((connection) => connection[Symbol.asyncDispose]()));
    this.#events.emit('state', this.state);
  }

  /** Cuts all connections, so that fresh ones are made at once; open streams end with `link-lost`. */
  rebuild(reason: string): void {
    for (const connection of this.#connections.values()) connection.rebuild(reason);
  }

  /** Resolves when the control connection is up. */
  async waitUp(waitMs: number, signal?: AbortSignal): Promise<void> {
    await this.#connection('control').session(waitMs, signal);
  }

  async connectEngine(purpose: LinkPurpose, signal?: AbortSignal): Promise<Duplex> {
    return this.#onSession(purpose, signal, (session) => session.openEngine(signal));
  }

  async connectPort(port: number, signal?: AbortSignal): Promise<Duplex> {
    return this.#onSession('bulk', signal, (session) => session.openPort(port, signal));
  }

  async openGuestShell(request: GuestShellRequest, signal?: AbortSignal): Promise<GuestShell> {
    return this.#onSession('stream', signal, (session) => session.openShell(request, signal));
  }

  onUp(listener: () => void): Unsubscribe {
    this.#events.on('up', listener);
    return () => this.#events.off('up', listener);
  }

  onState(listener: (state: LinkState) => void): Unsubscribe {
    this.#events.on('state', listener);
    return () => this.#events.off('state', listener);
  }

  /** Called when this process was not running for a while (host sleep). */
  onGap(listener: () => void): Unsubscribe {
    this.#events.on('gap', listener);
    return () => this.#events.off('gap', listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watchdog);
    await this.disconnect();
    this.#events.removeAllListeners();
  }

  /** A session may die between being handed out and being used: nothing was sent yet, so trying once more is safe. */
  async #onSession<T>(
    purpose: LinkPurpose,
    signal: AbortSignal | undefined,
    open: (session: SshSession) => Promise<T>,
  ): Promise<T> {
    const connection = this.#connection(purpose);
    const session = await connection.session(waitForLinkMs, signal);
    try {
      return await open(session);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'link-lost') throw error;
      return open(await connection.session(waitForLinkMs, signal));
    }
  }

  #connection(purpose: LinkPurpose): SupervisedConnection {
    if (this.#target === undefined) {
      throw new AppError('vm-absent', 'reach the guest: the VM is not running', { hint: 'Start it with: wherry up' });
    }
    const present = this.#connections.get(purpose);
    if (present !== undefined) return present;
    const connection = new SupervisedConnection(this.#target, keepAlives[purpose]);
    this.#connections.set(purpose, connection);
    if (purpose === 'control') {
      connection.onChange(() => this.#onControlChange());
      this.#events.emit('state', this.state);
    }
    return connection;
  }

  #onControlChange(): void {
    const { state } = this;
    this.#events.emit('state', state);
    if (state === 'down') this.#wasDown = true;
    if (state === 'up' && this.#wasDown) this.#events.emit('up');
  }

  #tick(): void {
    const now = Date.now();
    const gap = now - this.#lastTick;
    this.#lastTick = now;
    if (gap > gapMs && this.#target !== undefined) this.#events.emit('gap');
  }
}
