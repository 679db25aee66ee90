/** Handlers for tests of the wire and the shells: each does nothing unless a test says otherwise. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Topics } from '../../src-main/contract/channels.ts';
import type { Handlers, TopicSource } from '../../src-main/handlers/handlers.ts';
import { defaultNetwork, defaultTerminal } from '../../src-main/contract/vm.ts';
import { callInputs, streamInputs } from '../../src-main/handlers/schemas.ts';

export type Record = <T>(channel: string, input: unknown, run: () => T | Promise<T>) => Promise<T>;

export class Source<T> implements TopicSource<T> {
  current: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(current: T) {
    this.current = current;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  set(value: T): void {
    this.current = value;
    for (const listener of this.#listeners) listener(value);
  }

  onChange(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface HandlerOverrides {
  readonly calls?: Partial<Handlers['calls']>;
  readonly topics?: Partial<Handlers['topics']>;
  readonly streams?: Partial<Handlers['streams']>;
}

export function fakeHandlers(overrides: HandlerOverrides = {}): Handlers {
  const calls = Object.fromEntries(Object.keys(callInputs).map((name) => [name, () => undefined]));
  const streams = Object.fromEntries(Object.keys(streamInputs).map((name) => [name, () => noItems()]));
  const topics: { [K in keyof Topics]: TopicSource<Topics[K]> } = {
    vm: new Source({ state: { kind: 'absent' }, stages: [], link: 'none', dockerHost: '', warnings: [] }),
    settings: new Source({
      vm: { cpus: 1, memoryMiB: 1024, diskGiB: 8, accelerator: 'auto', backend: 'auto' },
      network: defaultNetwork,
      appearance: { theme: 'system' },
      terminal: defaultTerminal,
      desktop: { onClose: 'hide', startAtLogin: false, notifications: true },
      onQuit: 'stop',
      sleepAfterMinutes: 0,
    }),
    images: new Source([]),
    containers: new Source([]),
    volumes: new Source([]),
    networks: new Source([]),
    registries: new Source({ logins: [], keeps: 'file' }),
    tasks: new Source([]),
    terminals: new Source([]),
  };
  return {
    calls: { ...calls, ...overrides.calls },
    topics: { ...topics, ...overrides.topics },
    streams: { ...streams, ...overrides.streams },
  } as Handlers;
}

// eslint-disable-next-line @typescript-eslint/require-await -- an empty stream
async function* noItems(): AsyncGenerator<never, void, undefined> {
  yield* [];
}

/** Lets everything that is ready to run, run. */
export async function settle(): Promise<void> {
  await delay(2);
}

/** Waits until the condition holds; the test runner's own time-out is the deadline. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 5000) throw new Error(`never came true: ${condition.toString()}`);
    await delay(2);
  }
}
