/** A store that mirrors one topic of the host and keeps the last value while the host is away. */
import { create, type StoreApi, type UseBoundStore } from 'zustand';
import type { TopicName, Topics } from '../../src-main/contract/channels.ts';
import { host } from '../bridge.ts';

interface TopicState<T> {
  /** Undefined until the host said something for the first time. */
  readonly value: T | undefined;
}

export type TopicStore<K extends TopicName> = UseBoundStore<StoreApi<TopicState<Topics[K]>>>;

/** Subscribes for the life of the window. */
export function createTopicStore<K extends TopicName>(topic: K): TopicStore<K> {
  const store = create<TopicState<Topics[K]>>(() => ({ value: undefined }));
  host.subscribe(topic, (value) => store.setState({ value }));
  return store;
}
