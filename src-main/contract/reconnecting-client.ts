/** A {@link HostClient} that makes its connection anew whenever it is lost. */
import { AppError } from './errors.ts';
import { WireCore, type ClientTransport, type WireClient } from './wire-client.ts';

/** `refused`: the host turned this client away for good (`reason` says why); no more tries are made. */
export type ConnectionState =
  | { readonly kind: 'connecting'; readonly reason?: AppError }
  | { readonly kind: 'connected' }
  | { readonly kind: 'refused'; readonly reason: AppError };

export interface ReconnectingClient extends WireClient {
  readonly connection: ConnectionState;
  /** Called on every change of {@link connection}. Returns the function that ends the listening. */
  onConnection(listener: (state: ConnectionState) => void): () => void;
}

export interface ReconnectOptions {
  /** Waits between tries; the last one repeats. */
  readonly retryDelaysMs?: readonly number[];
  /** How long a call made while disconnected waits for the next connection. */
  readonly waitMs?: number;
}

/** Errors that another try cannot help: a wrong secret, or another version at the other end. */
const finalCodes: readonly string[] = ['invalid-input', 'unsupported'];

/**
 * Connects at once and keeps connecting until closed. Subscriptions survive; streams and calls in flight fail with
 * `link-lost`, since the client cannot know how far they got.
 * @param connect makes one transport; it rejects with `invalid-input` or `unsupported` to end all tries
 */
export function createReconnectingClient(
  connect: (signal: AbortSignal) => Promise<ClientTransport>,
  options: ReconnectOptions = {},
): ReconnectingClient {
  const client = new Reconnecting(connect, options);
  client.connect();
  return client;
}

class Reconnecting extends WireCore implements ReconnectingClient {
  connection: ConnectionState = { kind: 'connecting' };
  readonly #connect: (signal: AbortSignal) => Promise<ClientTransport>;
  readonly #delaysMs: readonly number[];
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(connect: (signal: AbortSignal) => Promise<ClientTransport>, options: ReconnectOptions) {
    super(options.waitMs ?? 15_000);
    this.#connect = connect;
    this.#delaysMs = options.retryDelaysMs ?? [100, 250, 500, 1000, 2000];
    this.onDisconnect((reason) => this.#retry(reason));
  }

  connect(): void {
    this.#connect(this.#abort.signal).then(
      (transport) => {
        if (this.#abort.signal.aborted) {
          transport.close();
          return;
        }
        this.#failures = 0;
        // Before attaching: the transport may already be over and say so while being attached.
        this.#change({ kind: 'connected' });
        this.attach(transport);
      },
      (error: unknown) => this.#retry(asAppError(error)),
    );
  }

  onConnection(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  override close(reason?: AppError): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
    super.close(reason);
  }

  #retry(reason: AppError): void {
    if (this.#abort.signal.aborted) return;
    if (finalCodes.includes(reason.code)) {
      this.#change({ kind: 'refused', reason });
      this.close(reason);
      return;
    }
    this.#change({ kind: 'connecting', reason });
    const delayMs = this.#delaysMs[Math.min(this.#failures, this.#delaysMs.length - 1)] ?? 1000;
    this.#failures += 1;
    this.#timer = setTimeout(() => this.connect(), delayMs);
  }

  #change(state: ConnectionState): void {
    this.connection = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('link-lost', `connect to Wherry: ${message}`, { cause: error });
}
