/** The fake host's volumes, networks, tasks and events. Tasks are the product's own; only what they do is made up. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerView, EngineEvent, ImageView } from '../../src-main/contract/engine.ts';
import { AppError } from '../../src-main/contract/errors.ts';
import type { NetworkView } from '../../src-main/contract/networks.ts';
import { sumLayers } from '../../src-main/contract/tasks.ts';
import type { VolumeView } from '../../src-main/contract/volumes.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import { emptyTotals, foldPull, progressOf } from '../../src-main/tasks/pull-progress.ts';
import { Tasks, type TaskProgress } from '../../src-main/tasks/tasks.ts';
import { fakeNetworkCalls } from './fake-networks.ts';
import { pull } from './fake-streams.ts';
import { type Record, Source } from './handlers.ts';
import { image, usualEvents, usualNetworks, usualVolumes } from './window-fixtures.ts';

type Calls = Pick<
  Handlers['calls'],
  | 'images.tag'
  | 'images.pull'
  | 'images.prune'
  | 'tasks.cancel'
  | 'tasks.forget'
  | 'volumes.create'
  | 'volumes.inspect'
  | 'volumes.remove'
  | 'networks.inspect'
  | 'networks.create'
  | 'networks.remove'
  | 'networks.connect'
  | 'networks.disconnect'
>;

export class FakeObjects {
  readonly volumes: Source<readonly VolumeView[]>;
  readonly networks: Source<readonly NetworkView[]>;
  readonly tasks = new Tasks();
  pullStepMs = 60;
  /** Pulls under way. */
  pullsOpen = 0;
  readonly calls: Calls;
  readonly #images: Source<readonly ImageView[]>;
  readonly #past = usualEvents();
  readonly #eventListeners = new Set<(event: EngineEvent) => void>();

  constructor(images: Source<readonly ImageView[]>, containers: Source<readonly ContainerView[]>, record: Record) {
    this.#images = images;
    this.volumes = new Source<readonly VolumeView[]>(usualVolumes(containers.current));
    this.networks = new Source<readonly NetworkView[]>(usualNetworks(containers.current));
    this.calls = {
      'images.tag': (input) =>
        record('images.tag', input, () =>
          images.set(
            images.current.map((view) =>
              view.id === input.id ? { ...view, tags: [...view.tags, input.reference] } : view,
            ),
          ),
        ),
      'images.pull': ({ reference }) =>
        record('images.pull', { reference }, () => ({
          taskId: this.tasks.join('pull', reference, (report, signal) => this.#pull(reference, report, signal)),
        })),
      'images.prune': (input) =>
        record('images.prune', input, () => ({
          taskId: this.tasks.join('prune-images', input.unused ? 'all unused images' : 'untagged images', () =>
            this.#prune(input.unused),
          ),
        })),
      'tasks.cancel': ({ id }) => this.tasks.cancel(id),
      'tasks.forget': ({ id }) => this.tasks.forget(id),
      'volumes.create': ({ name, labels }) =>
        record('volumes.create', { name, labels }, () => {
          if (this.volumes.current.some((volume) => volume.name === name)) {
            throw new AppError('conflict', `create ${name}: there is a volume of that name already`, {
              hint: 'Choose another name.',
            });
          }
          const [some] = this.volumes.current;
          if (some === undefined) throw new Error('the fake host has no volume to copy');
          const made = { ...some, name, labels, createdAtMs: Date.now(), anonymous: false, usedBy: [] };
          this.volumes.set([...this.volumes.current, made]);
          return { name };
        }),
      'volumes.inspect': ({ name }) => ({
        raw: { Name: name, Driver: 'local', Mountpoint: `/var/lib/wherry/volumes/${name}/_data`, Options: null },
      }),
      'volumes.remove': ({ names }) =>
        record('volumes.remove', { names }, () => {
          const used = (name: string) => this.volumes.current.find((volume) => volume.name === name)?.usedBy.length;
          const removed = names.filter((name) => !used(name));
          this.volumes.set(this.volumes.current.filter(({ name }) => !removed.includes(name)));
          const kept = names.filter((name) => !removed.includes(name));
          return { removed, kept: kept.map((name) => ({ name, reason: `remove ${name}: volume is in use` })) };
        }),
      'networks.inspect': ({ id }) => ({
        raw: this.networks.current.find((network) => network.id === id) ?? null,
      }),
      ...fakeNetworkCalls(this.networks, containers, record),
    };
  }

  emit(event: EngineEvent): void {
    this.#past.push(event);
    for (const listener of this.#eventListeners) listener(event);
  }

  async *events(history: boolean, signal: AbortSignal): AsyncGenerator<EngineEvent, void, undefined> {
    const waiting: EngineEvent[] = history ? [...this.#past] : [];
    const bell = new EventTarget();
    const listener = (event: EngineEvent) => {
      waiting.push(event);
      bell.dispatchEvent(new Event('event'));
    };
    this.#eventListeners.add(listener);
    signal.addEventListener('abort', () => bell.dispatchEvent(new Event('event')), { once: true });
    try {
      while (!signal.aborted) {
        yield* waiting.splice(0);
        await new Promise((resolve) => bell.addEventListener('event', resolve, { once: true }));
      }
    } finally {
      this.#eventListeners.delete(listener);
    }
  }

  async #pull(reference: string, report: (progress: TaskProgress) => void, signal: AbortSignal): Promise<number> {
    let totals = emptyTotals;
    this.pullsOpen += 1;
    try {
      for await (const item of pull(reference, this.pullStepMs, signal)) {
        totals = foldPull(totals, [item], Date.now());
        report(progressOf(totals));
      }
    } finally {
      this.pullsOpen -= 1;
    }
    const pulled = image(Math.floor(Math.random() * 1e9), { tags: [reference], sizeBytes: 73_400_000 });
    this.#images.set([pulled, ...this.#images.current]);
    return sumLayers(totals.layers.values()).downloaded;
  }

  async #prune(unused: boolean): Promise<number> {
    await sleep(300);
    const goes = (view: ImageView) => view.usedBy.length === 0 && (unused || view.tags.length === 0);
    const gone = this.#images.current.filter(goes);
    this.#images.set(this.#images.current.filter((view) => !goes(view)));
    return gone.reduce((sum, { sizeBytes, sharedBytes = 0 }) => sum + sizeBytes - sharedBytes, 0);
  }
}
