/**
 * The host's end of the wire: serves {@link Handlers} over one connection.
 *
 * Everything that comes in is parsed; an unknown channel or a wrong input is answered with `invalid-input`, a frame
 * that makes no sense ends the connection. Whatever a handler throws stays within its request. When the connection
 * ends, every signal is aborted and every iteration returned.
 */
import { z } from 'zod';
import { AppError, toErrorView } from '../contract/errors.ts';
import { streamCredit, wireVersion, type ClientFrame, type ServerFrame } from '../contract/wire.ts';
import type { CallName, StreamName, TopicName } from '../contract/channels.ts';
import type { Handlers } from './handlers.ts';
import { callInputs, clientFrame, streamInputs, streamMessages, topicNames } from './schemas.ts';

/** One established connection, seen from the host. Takes one listener of each kind. */
export interface ServerTransport {
  /** Never throws; a frame sent after the end is dropped. */
  send(frame: ServerFrame): void;
  /** Frames as they came: not yet checked. */
  onFrame(listener: (frame: unknown) => void): void;
  /** Called once, also after {@link close}. */
  onClose(listener: () => void): void;
  close(): void;
}

export interface WireLimits {
  /** Calls, subscriptions and streams that one connection may hold open at once. */
  readonly openRequests: number;
  /** Messages that may wait for a stream's handler. */
  readonly waitingMessages: number;
}

const defaultLimits: WireLimits = { openRequests: 256, waitingMessages: 1024 };

export interface ServedConnection {
  /** Resolves when the connection is over and all its handlers were told. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Serves until either end closes the transport. */
export function serveWire(
  handlers: Handlers,
  transport: ServerTransport,
  limits: WireLimits = defaultLimits,
): ServedConnection {
  return new Connection(handlers, transport, limits);
}

/** What is open under one id. */
interface Open {
  readonly abort: AbortController;
  /** Credit came back. */
  acknowledge?(items: number): void;
  receive?(message: unknown): void;
}

class Connection implements ServedConnection {
  readonly closed: Promise<void>;
  readonly #handlers: Handlers;
  readonly #transport: ServerTransport;
  readonly #limits: WireLimits;
  readonly #open = new Map<number, Open>();
  #greeted = false;
  #over = false;

  constructor(handlers: Handlers, transport: ServerTransport, limits: WireLimits) {
    this.#handlers = handlers;
    this.#transport = transport;
    this.#limits = limits;
    this.closed = new Promise((resolve) => {
      transport.onClose(() => {
        this.#end();
        resolve();
      });
    });
    transport.send({ t: 'hello', version: wireVersion });
    transport.onFrame((frame) => this.#receive(frame));
  }

  close(): void {
    this.#transport.close();
  }

  #end(): void {
    this.#over = true;
    for (const { abort } of this.#open.values()) abort.abort();
    this.#open.clear();
  }

  #receive(input: unknown): void {
    if (this.#over) return;
    const parsed = clientFrame.safeParse(input);
    if (!parsed.success || (parsed.data.t !== 'hello' && !this.#greeted)) {
      this.close();
      return;
    }
    this.#dispatch(parsed.data);
  }

  #dispatch(frame: ClientFrame): void {
    switch (frame.t) {
      case 'hello':
        // The server's own hello told the client our version; it explains a mismatch to the user.
        if (frame.version !== wireVersion) this.close();
        this.#greeted = true;
        return;
      case 'call':
        void this.#call(frame.id, frame.channel, frame.input);
        return;
      case 'subscribe':
        this.#subscribe(frame.id, frame.topic);
        return;
      case 'open':
        void this.#stream(frame.id, frame.stream, frame.input);
        return;
      case 'cancel':
      case 'unsubscribe':
      case 'close':
        this.#open.get(frame.id)?.abort.abort();
        this.#open.delete(frame.id);
        return;
      case 'send':
        this.#open.get(frame.id)?.receive?.(frame.message);
        return;
      case 'ack':
        this.#open.get(frame.id)?.acknowledge?.(frame.items);
        return;
    }
  }

  #begin(id: number): Open | undefined {
    if (this.#open.has(id)) {
      this.close();
      return undefined;
    }
    if (this.#open.size >= this.#limits.openRequests) {
      this.#fail(id, new AppError('unavailable', `more than ${this.#limits.openRequests} requests are open at once`));
      return undefined;
    }
    const open: Open = { abort: new AbortController() };
    this.#open.set(id, open);
    return open;
  }

  /** Whether this very request is still open, and its end may be told. */
  #finish(id: number, open: Open): boolean {
    if (this.#open.get(id) !== open) return false;
    this.#open.delete(id);
    return true;
  }

  #fail(id: number, error: unknown): void {
    this.#transport.send({ t: 'error', id, error: toErrorView(error) });
  }

  async #call(id: number, channel: string, input: unknown): Promise<void> {
    const open = this.#begin(id);
    if (!open) return;
    try {
      const name = known(callInputs, channel, 'call') as CallName;
      const handler = this.#handlers.calls[name] as (input: unknown, signal: AbortSignal) => unknown;
      const value = await handler(parseInput(callInputs[name], input, name), open.abort.signal);
      if (this.#finish(id, open)) this.#transport.send({ t: 'result', id, value });
    } catch (error) {
      if (this.#finish(id, open)) this.#fail(id, error);
    }
  }

  /** At most one value is under way; while it is, only the newest of the following is kept. */
  #subscribe(id: number, topic: string): void {
    const open = this.#begin(id);
    if (!open) return;
    try {
      const source = this.#handlers.topics[known(topicNames, topic, 'topic') as TopicName];
      let underWay = false;
      let waiting: { readonly value: unknown } | undefined;
      const offer = (value: unknown) => {
        if (this.#open.get(id) !== open) return;
        if (underWay) {
          waiting = { value };
          return;
        }
        underWay = true;
        this.#transport.send({ t: 'value', id, value });
      };
      open.acknowledge = () => {
        underWay = false;
        const next = waiting;
        waiting = undefined;
        if (next) offer(next.value);
      };
      const stop = source.onChange(offer);
      open.abort.signal.addEventListener('abort', stop, { once: true });
      offer(source.current);
    } catch (error) {
      if (this.#finish(id, open)) this.#fail(id, error);
    }
  }

  async #stream(id: number, stream: string, input: unknown): Promise<void> {
    const open = this.#begin(id);
    if (!open) return;
    try {
      const name = known(streamInputs, stream, 'stream') as StreamName;
      const handler = this.#handlers.streams[name] as (input: unknown, context: unknown) => AsyncIterable<unknown>;
      const credit = new Credit(open.abort.signal);
      open.acknowledge = (items) => credit.add(items);
      const onMessage = this.#messages(id, name, open);
      const items = handler(parseInput(streamInputs[name], input, name), { signal: open.abort.signal, onMessage });
      for await (const item of items) {
        if (!(await credit.take()) || this.#open.get(id) !== open) return;
        this.#transport.send({ t: 'item', id, item });
      }
      if (this.#finish(id, open)) this.#transport.send({ t: 'end', id });
    } catch (error) {
      if (this.#finish(id, open)) this.#fail(id, error);
    } finally {
      open.abort.abort();
    }
  }

  /** Takes the stream's messages, kept in order until the handler listens. */
  #messages(id: number, name: StreamName, open: Open): (listener: (message: unknown) => void) => void {
    let listener: ((message: unknown) => void) | undefined;
    const waiting: unknown[] = [];
    const refuse = (error: unknown) => {
      if (this.#finish(id, open)) this.#fail(id, error);
      open.abort.abort();
    };
    open.receive = (input) => {
      try {
        const message = parseInput(streamMessages[name], input, name);
        if (listener) listener(message);
        else if (waiting.length < this.#limits.waitingMessages) waiting.push(message);
        else refuse(new AppError('unavailable', `${name}: more than ${this.#limits.waitingMessages} messages wait`));
      } catch (error) {
        refuse(error);
      }
    };
    return (next) => {
      listener = next;
      for (const message of waiting.splice(0)) next(message);
    };
  }
}

/** How many items may still be sent before the client has to return credit. */
class Credit {
  readonly #signal: AbortSignal;
  #left = streamCredit;
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  add(items: number): void {
    // A client that returns more than it got gains nothing by it.
    this.#left = Math.min(streamCredit, this.#left + items);
    this.#wake?.();
  }

  /** Waits for credit and uses one; false when the stream was closed meanwhile. */
  async take(): Promise<boolean> {
    while (this.#left === 0 && !this.#signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    this.#left -= 1;
    return !this.#signal.aborted;
  }
}

function known(names: object, wanted: string, kind: string): string {
  if (!Object.hasOwn(names, wanted)) throw new AppError('invalid-input', `${wanted}: no such ${kind}`);
  return wanted;
}

/** Parsed, or `invalid-input` naming the channel and the field. */
export function parseInput(schema: z.ZodType, input: unknown, channel: string): unknown {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new AppError('invalid-input', `${channel}: ${place}${issue?.message ?? 'invalid input'}`);
}
