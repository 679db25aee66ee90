/**
 * The one source of every graph: for each container that some window looks at, one statistics stream of the engine,
 * shared by all who look, and the last hour of its samples.
 *
 * A stream for each container in sight rather than a poll of all: a list shows some twenty rows of perhaps 500, and the
 * engine samples only what is asked for. Nobody looking means no stream and no work; the samples kept are then a
 * history with a gap, which the graphs show as such.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { StatsSample } from '../contract/engine.ts';
import type { Unsubscribe } from '../services.ts';
import { segment, type EngineClient } from './client.ts';
import { isRunning, statsMessage, toStatsSample, type StatsMessage } from './stats.ts';

/** An hour at one a second. */
const maxSamples = 3600;
/** Containers whose history is kept; the one looked at longest ago goes first. */
const maxHistories = 96;
const retryMs = 2000;

type Listener = (id: string, sample: StatsSample) => void;

interface Watched {
  readonly listeners: Set<Listener>;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export class StatsFeed {
  readonly #engine: Pick<EngineClient, 'ndjson'>;
  readonly #watched = new Map<string, Watched>();
  readonly #ending = new Set<Promise<void>>();
  /** In the order of last use. */
  readonly #histories = new Map<string, StatsSample[]>();

  constructor(engine: Pick<EngineClient, 'ndjson'>) {
    this.#engine = engine;
  }

  /** The kept samples since this time, oldest first. */
  history(id: string, sinceMs: number): readonly StatsSample[] {
    return (this.#histories.get(id) ?? []).filter(({ timeMs }) => timeMs >= sinceMs);
  }

  /** Calls with every sample until unsubscribed. The last to leave ends the container's stream. */
  watch(id: string, listener: Listener): Unsubscribe {
    const watched = this.#watched.get(id) ?? this.#begin(id);
    watched.listeners.add(listener);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size === 0) this.#end(id, watched);
    };
  }

  async close(): Promise<void> {
    for (const [id, watched] of this.#watched) this.#end(id, watched);
    await Promise.all(this.#ending);
  }

  #begin(id: string): Watched {
    const abort = new AbortController();
    const listeners = new Set<Listener>();
    const history = this.#histories.get(id) ?? [];
    this.#histories.delete(id);
    this.#histories.set(id, history);
    const watched = { listeners, abort, done: this.#follow(id, history, listeners, abort.signal) };
    this.#watched.set(id, watched);
    this.#forgetOld();
    return watched;
  }

  #end(id: string, watched: Watched): void {
    if (this.#watched.get(id) === watched) this.#watched.delete(id);
    watched.abort.abort();
    this.#ending.add(watched.done);
    void watched.done.finally(() => this.#ending.delete(watched.done));
  }

  #forgetOld(): void {
    for (const id of this.#histories.keys()) {
      if (this.#histories.size <= maxHistories) return;
      if (!this.#watched.has(id)) this.#histories.delete(id);
    }
  }

  /** Reads until nobody looks any more; a lost link or an engine that starts anew is tried again. */
  async #follow(id: string, history: StatsSample[], listeners: Set<Listener>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#readStream(id, signal, (sample) => {
          history.push(sample);
          if (history.length > maxSamples) history.splice(0, history.length - maxSamples);
          for (const listener of [...listeners]) listener(id, sample);
        });
      } catch {
        // The link and the list of containers say what is wrong; a graph only has a gap.
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #readStream(id: string, signal: AbortSignal, take: (sample: StatsSample) => void): Promise<void> {
    const path = `/containers/${segment(id)}/stats`;
    let before: StatsMessage | undefined;
    for await (const object of this.#engine.ndjson({ attempt: 'read the statistics', path, signal })) {
      const parsed = statsMessage.safeParse(object);
      if (!parsed.success) continue;
      const now = parsed.data;
      const sample = before && toStatsSample(before, now);
      if (sample) take(sample);
      before = isRunning(now) ? now : undefined;
    }
  }
}
