/**
 * The client's end of the wire: makes a {@link HostClient} over any transport. Runs in the browser, in Electron's
 * renderer and in Node alike, so it uses nothing but the language, timers and `AbortSignal`.
 *
 * Life of a client: frames asked for while no transport is attached wait (bounded by `waitMs`); when a transport is
 * lost, calls and streams in flight fail with `link-lost`, and subscriptions stay and are renewed on the next one.
 */
import { AppError, fromErrorView } from './errors.ts';
import type { CallInput, CallName, CallResult, HostClient, HostStream, StreamName, Streams } from './channels.ts';
import type { TopicName, Topics } from './channels.ts';
import { streamCredit, wireVersion, type ClientFrame, type ServerFrame } from './wire.ts';

/** One established connection. `onFrame` and `onClose` take one listener each; frames keep their order. */
export interface ClientTransport {
  /** Never throws; a frame sent after the end is dropped. */
  send(frame: ClientFrame): void;
  onFrame(listener: (frame: ServerFrame) => void): void;
  /** Called once, when the other end or {@link close} ended the connection. */
  onClose(listener: (reason?: Error) => void): void;
  close(): void;
}

export interface WireClient extends HostClient {
  /** Ends the connection; everything open ends with `cancelled`. */
  close(): void;
  /** Called whenever the connection is lost, with the reason. Returns the function that ends the listening. */
  onDisconnect(listener: (reason: AppError) => void): () => void;
}

interface Pending {
  /** What to send, in order, once a transport is there; undefined once sent. */
  unsent: ClientFrame[] | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  receive(frame: ServerFrame): void;
  fail(error: AppError): void;
}

interface Subscription {
  id: number;
  readonly listeners: Set<(value: never) => void>;
  last: { readonly value: unknown } | undefined;
}

/** Requests by id over a transport that may be exchanged; {@link createWireClient} and the reconnecting client use it. */
export class WireCore implements HostClient {
  readonly #waitMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #disconnectListeners = new Set<(reason: AppError) => void>();
  #transport: ClientTransport | undefined;
  #closed: AppError | undefined;
  #lastId = 0;

  /** @param waitMs how long a request may wait for a transport before it fails with `unavailable` */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Uses this transport from now on: says hello, renews subscriptions, sends what waited. */
  attach(transport: ClientTransport): void {
    this.#transport?.close();
    this.#transport = transport;
    transport.onFrame((frame) => {
      if (this.#transport === transport) this.#receive(frame);
    });
    transport.onClose((reason) => {
      if (this.#transport === transport) this.#lose(lost(reason));
    });
    transport.send({ t: 'hello', version: wireVersion });
    for (const [topic, subscription] of this.#subscriptions) {
      subscription.id = ++this.#lastId;
      transport.send({ t: 'subscribe', id: subscription.id, topic });
    }
    for (const pending of this.#pending.values()) {
      if (pending.unsent === undefined) continue;
      for (const frame of pending.unsent) transport.send(frame);
      pending.unsent = undefined;
      clearTimeout(pending.timer);
    }
  }

  onDisconnect(listener: (reason: AppError) => void): () => void {
    this.#disconnectListeners.add(listener);
    return () => this.#disconnectListeners.delete(listener);
  }

  close(reason = new AppError('cancelled', 'the connection to Wherry was closed')): void {
    if (this.#closed) return;
    this.#closed = reason;
    const transport = this.#transport;
    this.#transport = undefined;
    this.#subscriptions.clear();
    this.#failAll(() => true, reason);
    transport?.close();
  }

  call<K extends CallName>(channel: K, input: CallInput<K>, signal?: AbortSignal): Promise<CallResult<K>> {
    return new Promise<CallResult<K>>((resolve, reject) => {
      const cancelled = () => new AppError('cancelled', `${channel}: cancelled`);
      if (signal?.aborted) {
        reject(cancelled());
        return;
      }
      const id = ++this.#lastId;
      const finish = (settle: () => void) => {
        this.#forget(id);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => {
        if (this.#pending.get(id)?.unsent === undefined) this.#send({ t: 'cancel', id });
        finish(() => reject(cancelled()));
      };
      signal?.addEventListener('abort', abort);
      this.#request(id, { t: 'call', id, channel, input }, channel, {
        receive: (frame) => {
          if (frame.t === 'result') finish(() => resolve(frame.value as CallResult<K>));
          else if (frame.t === 'error') finish(() => reject(fromErrorView(frame.error)));
        },
        fail: (error) => finish(() => reject(error)),
      });
    });
  }

  subscribe<K extends TopicName>(topic: K, listener: (value: Topics[K]) => void): () => void {
    let subscription = this.#subscriptions.get(topic);
    if (!subscription) {
      subscription = { id: ++this.#lastId, listeners: new Set(), last: undefined };
      this.#subscriptions.set(topic, subscription);
      this.#send({ t: 'subscribe', id: subscription.id, topic });
    }
    const { listeners } = subscription;
    // A wrapper, so that one function can listen twice and each ending ends only its own.
    const own = (value: Topics[K]) => listener(value);
    listeners.add(own);
    queueMicrotask(() => {
      const last = subscription.last;
      if (last && listeners.has(own)) own(last.value as Topics[K]);
    });
    return () => {
      if (!listeners.delete(own) || listeners.size > 0 || this.#subscriptions.get(topic) !== subscription) return;
      this.#subscriptions.delete(topic);
      this.#send({ t: 'unsubscribe', id: subscription.id });
    };
  }

  open<K extends StreamName>(stream: K, input: Streams[K]['input']): HostStream<K> {
    const id = ++this.#lastId;
    const wire = new WireStream<K>((frame) => {
      const pending = this.#pending.get(id);
      if (frame.t === 'close') this.#forget(id);
      if (!pending) return;
      // Nothing overtakes the opening frame while that still waits for a transport.
      if (pending.unsent === undefined) this.#send(frame);
      else if (frame.t === 'send') pending.unsent.push(frame);
    }, id);
    this.#request(id, { t: 'open', id, stream, input }, stream, {
      receive: (frame) => {
        if (frame.t === 'item') wire.push(frame.item as Streams[K]['item']);
        else if (frame.t === 'end' || frame.t === 'error') {
          this.#forget(id);
          wire.finish(frame.t === 'error' ? fromErrorView(frame.error) : undefined);
        }
      },
      fail: (error) => wire.finish(error),
    });
    return wire;
  }

  #request(id: number, frame: ClientFrame, what: string, handlers: Pick<Pending, 'receive' | 'fail'>): void {
    const pending: Pending = { ...handlers, unsent: undefined, timer: undefined };
    this.#pending.set(id, pending);
    if (this.#closed) {
      this.#forget(id);
      pending.fail(this.#closed);
    } else if (this.#transport) {
      this.#transport.send(frame);
    } else {
      pending.unsent = [frame];
      pending.timer = setTimeout(() => {
        this.#forget(id);
        pending.fail(new AppError('unavailable', `${what}: not connected to Wherry`, { hint: reconnectHint }));
      }, this.#waitMs);
    }
  }

  #send(frame: ClientFrame): void {
    this.#transport?.send(frame);
  }

  #forget(id: number): void {
    clearTimeout(this.#pending.get(id)?.timer);
    this.#pending.delete(id);
  }

  #receive(frame: ServerFrame): void {
    if (frame.t === 'hello') {
      if (frame.version !== wireVersion) this.#refuse(frame.version);
    } else if (frame.t === 'value') {
      this.#receiveValue(frame.id, frame.value);
    } else {
      this.#pending.get(frame.id)?.receive(frame);
    }
  }

  #receiveValue(id: number, value: unknown): void {
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.id !== id) continue;
      subscription.last = { value };
      this.#send({ t: 'ack', id, items: 1 });
      for (const listener of [...subscription.listeners]) (listener as (value: unknown) => void)(value);
    }
  }

  #refuse(version: number): void {
    const message = `connect to Wherry: it speaks version ${version} of the connection, this end ${wireVersion}`;
    const hint = 'Reload the window, or stop the older Wherry and start it again.';
    this.#lose(new AppError('unsupported', message, { hint }));
  }

  #lose(reason: AppError): void {
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.close();
    this.#failAll((pending) => pending.unsent === undefined, reason);
    for (const listener of [...this.#disconnectListeners]) listener(reason);
  }

  #failAll(which: (pending: Pending) => boolean, reason: AppError): void {
    for (const [id, pending] of [...this.#pending]) {
      if (!which(pending)) continue;
      this.#forget(id);
      pending.fail(reason);
    }
  }
}

const reconnectHint = 'If this stays, start Wherry again.';

function lost(reason: Error | undefined): AppError {
  if (reason instanceof AppError) return reason;
  const detail = reason?.message ? `: ${reason.message}` : '';
  return new AppError('link-lost', `the connection to Wherry was lost${detail}`, {
    cause: reason,
    hint: reconnectHint,
  });
}

type StreamEnd = { readonly error: AppError | undefined };

/** The window's end of one stream: holds at most the credit's worth of items nobody has taken yet. */
class WireStream<K extends StreamName> implements HostStream<K> {
  readonly #post: (frame: ClientFrame) => void;
  readonly #id: number;
  readonly #items: Streams[K]['item'][] = [];
  #end: StreamEnd | undefined;
  #taken = 0;
  #wake: (() => void) | undefined;

  constructor(post: (frame: ClientFrame) => void, id: number) {
    this.#post = post;
    this.#id = id;
  }

  push(item: Streams[K]['item']): void {
    if (this.#end) return;
    this.#items.push(item);
    this.#wake?.();
  }

  finish(error: AppError | undefined): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  send(message: Streams[K]['message']): void {
    if (!this.#end) this.#post({ t: 'send', id: this.#id, message });
  }

  close(): void {
    if (this.#end) return;
    this.#items.length = 0;
    this.#post({ t: 'close', id: this.#id });
    this.finish(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Streams[K]['item'], void, undefined> {
    try {
      for (;;) {
        while (this.#items.length > 0) {
          const item = this.#items.shift() as Streams[K]['item'];
          this.#returnCredit();
          yield item;
        }
        if (this.#end) {
          if (this.#end.error) throw this.#end.error;
          return;
        }
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    } finally {
      this.close();
    }
  }

  #returnCredit(): void {
    this.#taken += 1;
    if (this.#taken < streamCredit / 4 || this.#end) return;
    this.#post({ t: 'ack', id: this.#id, items: this.#taken });
    this.#taken = 0;
  }
}

/** A client over one connection; when that is lost, so is the client. */
export function createWireClient(transport: ClientTransport): WireClient {
  const core = new WireCore(0);
  core.onDisconnect((reason) => core.close(reason));
  core.attach(transport);
  return core;
}
