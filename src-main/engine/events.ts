/**
 * The engine's event feed and the lists it keeps fresh.
 *
 * One `/events` stream is kept open while the VM is ready. When it is lost it is resumed with `since` the last event, and
 * the lists are read anew, so that nothing that happened meanwhile is missed. While the link is being rebuilt the lists
 * keep what was last known; once the VM is gone they are empty, since nothing in it runs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerView, EngineEvent, ImageView } from '../contract/engine.ts';
import type { Unsubscribe, VmService } from '../services.ts';
import {
  containerSummaries,
  eventMessage,
  imageSummaries,
  toContainerView,
  toEngineEvent,
  toImageView,
  type ImageSummary,
} from './api.ts';
import type { EngineClient } from './client.ts';
import { PublishedValue } from './published-value.ts';

/** A refresh is followed by at least this pause: five a second at most. */
const refreshPauseMs = 200;
const failedPauseMs = 1000;
/** "Up 3 minutes" grows old by itself. */
const statusAgeMs = 20_000;
const retryDelaysMs = [100, 250, 500, 1000, 2000];

/** Actions of the exec sessions and health checks of a container change nothing in the lists. */
const quietActions = /^(exec_|top$|resize$|attach$|detach$|health_status|archive-path$|extract-to-dir$|export$)/;

type List = 'images' | 'containers';

export class EngineFeed {
  readonly images = new PublishedValue<readonly ImageView[]>([]);
  readonly containers = new PublishedValue<readonly ContainerView[]>([]);
  readonly #engine: EngineClient;
  readonly #vm: Pick<VmService, 'view' | 'onChange'>;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #abort = new AbortController();
  readonly #stale = new Set<List>();
  readonly #stopListening: Unsubscribe;
  readonly #ageTimer: NodeJS.Timeout;
  #summaries: readonly ImageSummary[] = [];
  #refreshing: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  /** Where to resume, in nanoseconds since 1970 as the engine counts. */
  #lastEventNano: number | undefined;

  constructor(engine: EngineClient, vm: Pick<VmService, 'view' | 'onChange'>) {
    this.#engine = engine;
    this.#vm = vm;
    this.#stopListening = vm.onChange(() => this.#followVm());
    this.#ageTimer = setInterval(() => {
      if (this.containers.hasListeners && this.#isReady()) this.refresh('containers');
    }, statusAgeMs);
    this.#ageTimer.unref();
    this.#followVm();
  }

  /** Called with every event from now on. */
  onEvent(listener: (event: EngineEvent) => void): Unsubscribe {
    const own = (event: EngineEvent) => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Reads these lists soon; several wishes become one. */
  refresh(...lists: readonly List[]): void {
    for (const list of lists) this.#stale.add(list);
    if (this.#refreshing) return;
    this.#refreshing = this.#refreshStale().finally(() => {
      this.#refreshing = undefined;
      // A wish that came just as the last one was done.
      if (this.#stale.size > 0 && this.#isReady()) this.refresh();
    });
  }

  async close(): Promise<void> {
    this.#stopListening();
    clearInterval(this.#ageTimer);
    this.#abort.abort();
    await Promise.all([this.#running, this.#refreshing]);
  }

  #isReady(): boolean {
    return this.#vm.view.state.kind === 'ready' && !this.#abort.signal.aborted;
  }

  #followVm(): void {
    const { kind } = this.#vm.view.state;
    if (kind === 'ready') {
      this.#running ??= this.#follow().finally(() => {
        this.#running = undefined;
        if (this.#isReady()) this.#followVm();
      });
    } else if (kind === 'absent' || kind === 'failed' || kind === 'booting') {
      this.#summaries = [];
      this.images.set([]);
      this.containers.set([]);
    }
  }

  /** Keeps the stream open until the VM is no longer ready. */
  async #follow(): Promise<void> {
    const own = new AbortController();
    const stop = this.#vm.onChange(() => {
      if (!this.#isReady()) own.abort();
    });
    const signal = AbortSignal.any([own.signal, this.#abort.signal]);
    let failures = 0;
    try {
      while (!signal.aborted) {
        try {
          await this.#readEvents(signal, () => (failures = 0));
        } catch {
          // The link tells the user what is wrong; here it only means to try again.
        }
        await delay(retryDelaysMs[Math.min(failures, retryDelaysMs.length - 1)], undefined, { signal }).catch(
          () => undefined,
        );
        failures += 1;
      }
    } finally {
      stop();
    }
  }

  async #readEvents(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const since = this.#lastEventNano === undefined ? undefined : nanoTime(this.#lastEventNano);
    const request = { attempt: 'follow the engine’s events', path: '/events', query: { since }, signal };
    // The lists are read at once, and again when the stream is open: what happened in between is in neither else.
    this.refresh('containers', 'images');
    const events = this.#engine.ndjson(request, () => {
      onOpen();
      this.refresh('containers', 'images');
    });
    // A resumed stream begins with the event it was resumed from.
    let known = this.#lastEventNano;
    for await (const object of events) {
      const message = eventMessage.safeParse(object);
      if (!message.success) continue;
      const event = toEngineEvent(message.data);
      if (known !== undefined && event.timeNano <= known) continue;
      known = undefined;
      this.#receive(event);
    }
  }

  #receive(event: EngineEvent): void {
    this.#lastEventNano = event.timeNano;
    if (event.type === 'image') this.refresh('images');
    if (event.type === 'container' && !quietActions.test(event.action)) this.refresh('containers');
    for (const listener of [...this.#listeners]) listener(event);
  }

  async #refreshStale(): Promise<void> {
    while (this.#stale.size > 0 && this.#isReady()) {
      const lists = [...this.#stale];
      this.#stale.clear();
      let pauseMs = refreshPauseMs;
      try {
        await Promise.all(lists.map((list) => this.#read(list)));
      } catch {
        if (!this.#isReady()) return;
        for (const list of lists) this.#stale.add(list);
        pauseMs = failedPauseMs;
      }
      await delay(pauseMs, undefined, { signal: this.#abort.signal }).catch(() => undefined);
    }
  }

  async #read(list: List): Promise<void> {
    const { signal } = this.#abort;
    if (list === 'containers') {
      const request = { attempt: 'list the containers', path: '/containers/json', query: { all: true }, signal };
      const containers = await this.#engine.json(request, containerSummaries);
      if (!this.#isReady()) return;
      this.containers.set(containers.map(toContainerView));
    } else {
      const images = await this.#engine.json(
        { attempt: 'list the images', path: '/images/json', signal },
        imageSummaries,
      );
      if (!this.#isReady()) return;
      this.#summaries = images;
    }
    this.images.set(this.#summaries.map((image) => toImageView(image, this.namesUsing(image.Id))));
  }

  /** Names of the containers made from this image. */
  namesUsing(imageId: string): readonly string[] {
    return this.containers.current.filter((container) => container.imageId === imageId).map(({ name }) => name);
  }
}

/** Nanoseconds since 1970 as the engine's `since` wants them. */
function nanoTime(nano: number): string {
  const text = BigInt(Math.trunc(nano)).toString().padStart(10, '0');
  return `${text.slice(0, -9)}.${text.slice(-9)}`;
}
