/**
 * The way of a shell to the host of a home: this process when it can own the home, else the process that does.
 *
 * Each connection is made for the owner there is at that moment. When a connection is lost because the owner died, the
 * next {@link HostAccess.connect} takes the home over; the reconnecting clients of the windows ask for it by themselves.
 */
import { AppError } from './contract/errors.ts';
import type { ClientTransport } from './contract/wire-client.ts';
import { connectControlSocket, serveControlSocket } from './handlers/control-socket.ts';
import { createHandlers } from './handlers/create-handlers.ts';
import type { ShellFacts } from './handlers/app.ts';
import type { Handlers } from './handlers/handlers.ts';
import { memoryTransports } from './handlers/memory-transport.ts';
import { serveWire } from './handlers/wire-server.ts';
import type { HostServices } from './services.ts';

export interface HostAccess extends AsyncDisposable {
  /** One more connection to the owner. Rejects with `unavailable` while the owner is changing: try again. */
  connect(signal?: AbortSignal): Promise<ClientTransport>;
  /** `owner` once this process owns the home; it then does until it is disposed. */
  readonly role: 'undecided' | 'owner' | 'client';
}

export interface HostAccessOptions {
  /** Path of the control socket. */
  readonly hostSocket: string;
  readonly shell: ShellFacts;
  /** Takes the home's lock; rejects with `conflict` when another process holds it. */
  readonly lock: () => Promise<AsyncDisposable>;
  /** Builds the services; called only with the lock held. */
  readonly createServices: () => Promise<HostServices & AsyncDisposable>;
  /** False for a command that only talks to an owner and must not become one. Default true. */
  readonly mayOwn?: boolean;
}

export function accessHost(options: HostAccessOptions): HostAccess {
  return new Access(options);
}

interface OwnedHost extends AsyncDisposable {
  readonly handlers: Handlers;
}

class Access implements HostAccess {
  role: HostAccess['role'] = 'undecided';
  readonly #options: HostAccessOptions;
  #owning: Promise<OwnedHost | undefined> | undefined;
  #disposed = false;

  constructor(options: HostAccessOptions) {
    this.#options = options;
  }

  async connect(signal?: AbortSignal): Promise<ClientTransport> {
    const owned = await this.#tryToOwn();
    if (owned) {
      const { client, server } = memoryTransports();
      serveWire(owned.handlers, server);
      return client;
    }
    const transport = await connectControlSocket(this.#options.hostSocket, signal);
    this.role = 'client';
    return transport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const owned = await this.#owning?.catch(() => undefined);
    await owned?.[Symbol.asyncDispose]();
  }

  /** Several connections at once share one try; a try that found another owner is made anew by the next. */
  #tryToOwn(): Promise<OwnedHost | undefined> {
    if (this.#disposed) throw new AppError('cancelled', 'connect to Wherry: it is shutting down');
    if (this.#options.mayOwn === false) return Promise.resolve(undefined);
    this.#owning ??= this.#own().then(
      (owned) => {
        if (!owned) this.#owning = undefined;
        return owned;
      },
      (error: unknown) => {
        this.#owning = undefined;
        throw error;
      },
    );
    return this.#owning;
  }

  async #own(): Promise<OwnedHost | undefined> {
    let lock: AsyncDisposable;
    try {
      lock = await this.#options.lock();
    } catch (error) {
      if (error instanceof AppError && error.code === 'conflict') return undefined;
      throw error;
    }
    const undo: AsyncDisposable[] = [lock];
    try {
      const services = await this.#options.createServices();
      undo.unshift(services);
      const handlers = createHandlers(services, this.#options.shell);
      undo.unshift(handlers);
      undo.unshift(await serveControlSocket(this.#options.hostSocket, handlers));
      this.role = 'owner';
      return { handlers, [Symbol.asyncDispose]: () => disposeAll(undo) };
    } catch (error) {
      await disposeAll(undo);
      throw error;
    }
  }
}

/** In order, past a failing one; the first failure is reported with the others. */
async function disposeAll(undo: readonly AsyncDisposable[]): Promise<void> {
  const failures: unknown[] = [];
  for (const disposable of undo) {
    try {
      await disposable[Symbol.asyncDispose]();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, 'several things could not be closed');
}
