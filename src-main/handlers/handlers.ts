/** What the host implements for its windows: one handler for each call, topic and stream of `channels.ts`. */
import type { CallInput, CallName, CallResult, StreamName, Streams, TopicName, Topics } from '../contract/channels.ts';
import type { Unsubscribe } from '../services.ts';

/** Inputs arrive parsed; thrown errors cross as `ErrorView`. The signal aborts when nobody waits any more. */
export type CallHandler<K extends CallName> = (
  input: CallInput<K>,
  signal: AbortSignal,
) => Promise<CallResult<K>> | CallResult<K>;

/** A value that changes. Each change is a new value; a listener may be called with a value equal to the last. */
export interface TopicSource<T> {
  readonly current: T;
  onChange(listener: (value: T) => void): Unsubscribe;
}

export interface StreamContext<Message> {
  /** Aborts when the window closed the stream or went away. */
  readonly signal: AbortSignal;
  /** Messages in order; those that came before this call are delivered by it. Takes one listener. */
  readonly onMessage: (listener: (message: Message) => void) => void;
}

/** The iteration is pulled at the pace of the consumer; leaving it early calls `return`. */
export type StreamHandler<K extends StreamName> = (
  input: Streams[K]['input'],
  context: StreamContext<Streams[K]['message']>,
) => AsyncIterable<Streams[K]['item']>;

export interface Handlers {
  readonly calls: { readonly [K in CallName]: CallHandler<K> };
  readonly topics: { readonly [K in TopicName]: TopicSource<Topics[K]> };
  readonly streams: { readonly [K in StreamName]: StreamHandler<K> };
}
