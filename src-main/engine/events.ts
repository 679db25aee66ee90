/**
 * The engine's event feed and the lists it keeps fresh.
 *
 * One `/events` stream is kept open while the VM is ready. When it is lost it is resumed with `since` the last event, and
 * the lists are read anew, so that nothing that happened meanwhile is missed. While the link is being rebuilt the lists
 * keep what was last known; once the VM is gone they are empty, since nothing in it runs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerView, EngineEvent, ImageView } from '../contract/engine.ts';
import type { NetworkView } from '../contract/networks.ts';
import type { VolumeView } from '../contract/volumes.ts';
import type { Unsubscribe, VmService } from '../services.ts';
import {
  containerSummaries,
  eventMessage,
  imageSummaries,
  toContainerView,
  toEngineEvent,
  toImageView,
  type ContainerSummary,
  type ImageSummary,
} from './api.ts';
import type { EngineClient } from './client.ts';
import { PublishedValue } from './published-value.ts';
import { networkList, toNetworkView, toVolumeView, volumeList, type Network, type Volume } from './resources-api.ts';

/** A refresh is followed by at least this pause: five a second at most. */
const refreshPauseMs = 200;
const failedPauseMs = 1000;
/** "Up 3 minutes" grows old by itself, and "Up 3 seconds" at once. */
const statusAgeMs = 20_000;
const youngStatusAgeMs = 2000;
/** Kept for windows that open later; the chatter of execs and health checks is not. */
const maxRecentEvents = 500;
const retryDelaysMs = [100, 250, 500, 1000, 2000];

/** Actions that change nothing in the lists. */
const quietActions = /^(exec_|top$|resize$|attach$|detach$|archive-path$|extract-to-dir$|export$)/;

const lists = ['containers', 'images', 'volumes', 'networks'] as const;
type List = (typeof lists)[number];

/** What the engine last said, from which every list is made: who uses an image, volume or network is in the containers. */
interface Known {
  containers: readonly ContainerSummary[];
  images: readonly ImageSummary[];
  volumes: readonly Volume[];
  networks: readonly Network[];
}

const nothingKnown: Known = { containers: [], images: [], volumes: [], networks: [] };

export class EngineFeed {
  readonly images = new PublishedValue<readonly ImageView[]>([]);
  readonly containers = new PublishedValue<readonly ContainerView[]>([]);
  readonly volumes = new PublishedValue<readonly VolumeView[]>([]);
  readonly networks = new PublishedValue<readonly NetworkView[]>([]);
  readonly #engine: EngineClient;
  readonly #vm: Pick<VmService, 'view' | 'onChange'>;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #abort = new AbortController();
  readonly #stale = new Set<List>();
  readonly #stopListening: Unsubscribe;
  readonly #ageTimer: NodeJS.Timeout;
  readonly #recent: EngineEvent[] = [];
  #known: Known = nothingKnown;
  #containersReadAtMs = 0;
  #refreshing: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  /** Where to resume, in nanoseconds since 1970 as the engine counts. */
  #lastEventNano: number | undefined;

  constructor(engine: EngineClient, vm: Pick<VmService, 'view' | 'onChange'>) {
    this.#engine = engine;
    this.#vm = vm;
    this.#stopListening = vm.onChange(() => this.#followVm());
    this.#ageTimer = setInterval(() => {
      if (this.containers.hasListeners && this.#isReady() && this.#statusesAreOld()) this.refresh('containers');
    }, youngStatusAgeMs);
    this.#ageTimer.unref();
    this.#followVm();
  }

  /** Called with every event from now on. */
  onEvent(listener: (event: EngineEvent) => void): Unsubscribe {
    const own = (event: EngineEvent) => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Oldest first. */
  get recentEvents(): readonly EngineEvent[] {
    return this.#recent;
  }

  /** The VM sleeps, or is about to, or is being woken. */
  get isAsleep(): boolean {
    const { kind } = this.#vm.view.state;
    return kind === 'sleeping' || kind === 'resuming';
  }

  /** Reads these lists soon; several wishes become one. */
  refresh(...wanted: readonly List[]): void {
    for (const list of wanted) this.#stale.add(list);
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
      this.#known = nothingKnown;
      this.#publish();
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
    this.refresh(...lists);
    const events = this.#engine.ndjson(request, () => {
      onOpen();
      this.refresh(...lists);
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
    if (!quietActions.test(event.action)) this.#recent.push(event);
    if (this.#recent.length > maxRecentEvents) this.#recent.shift();
    if (event.type === 'image') this.refresh('images');
    if (event.type === 'volume') this.refresh('volumes');
    // Connecting a container is the network's event, and shows in both.
    if (event.type === 'network') this.refresh('networks', 'containers');
    if (event.type === 'container' && !quietActions.test(event.action)) this.refresh('containers');
    for (const listener of [...this.#listeners]) listener(event);
  }

  #statusesAreOld(): boolean {
    const ageMs = Date.now() - this.#containersReadAtMs;
    if (ageMs >= statusAgeMs) return true;
    return ageMs >= youngStatusAgeMs && this.#known.containers.some(({ Status }) => /\bseconds?\b/.test(Status));
  }

  async #refreshStale(): Promise<void> {
    while (this.#stale.size > 0 && this.#isReady()) {
      const wanted = [...this.#stale];
      this.#stale.clear();
      const results = await Promise.allSettled(wanted.map((list) => this.#read(list)));
      if (!this.#isReady()) return;
      const failed = wanted.filter((_list, index) => results[index]?.status === 'rejected');
      for (const list of failed) this.#stale.add(list);
      this.#publish();
      const pauseMs = failed.length > 0 ? failedPauseMs : refreshPauseMs;
      await delay(pauseMs, undefined, { signal: this.#abort.signal }).catch(() => undefined);
    }
  }

  async #read(list: List): Promise<void> {
    const { signal } = this.#abort;
    const attempt = `list the ${list}`;
    const known = await this.#ask(list, attempt, signal);
    // The VM may have gone while the answer was on its way.
    if (this.#isReady()) this.#known = { ...this.#known, ...known };
  }

  async #ask(list: List, attempt: string, signal: AbortSignal): Promise<Partial<Known>> {
    const engine = this.#engine;
    switch (list) {
      case 'containers': {
        const request = { attempt, path: '/containers/json', query: { all: true }, signal };
        const containers = await engine.json(request, containerSummaries);
        this.#containersReadAtMs = Date.now();
        return { containers };
      }
      case 'images': {
        const request = { attempt, path: '/images/json', query: { 'shared-size': true }, signal };
        return { images: await engine.json(request, imageSummaries) };
      }
      case 'volumes':
        return { volumes: (await engine.json({ attempt, path: '/volumes', signal }, volumeList)).Volumes };
      case 'networks':
        return { networks: await engine.json({ attempt, path: '/networks', signal }, networkList) };
    }
  }

  #publish(): void {
    const { containers, images, volumes, networks } = this.#known;
    this.containers.set(containers.map(toContainerView));
    this.images.set(images.map((image) => toImageView(image, this.namesUsing(image.Id))));
    this.volumes.set(volumes.map((volume) => toVolumeView(volume, containers)));
    this.networks.set(networks.map((network) => toNetworkView(network, containers)));
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
