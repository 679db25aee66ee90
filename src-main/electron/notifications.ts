/** Tells by the system's notifications what ended while nobody looked: a pull, a container that died. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostClient } from '../contract/channels.ts';
import type { DeepLink } from '../contract/deep-links.ts';
import type { EngineEvent } from '../contract/engine.ts';
import type { TaskView } from '../contract/tasks.ts';
import type { VmView } from '../contract/vm.ts';
import { plainText } from './plain-text.ts';

export interface NotificationText {
  readonly title: string;
  readonly body: string;
  /** Where a click goes. */
  readonly link: DeepLink;
}

export interface NotifierOptions {
  readonly client: Pick<HostClient, 'subscribe' | 'open'>;
  /** Asked each time: it is a setting, and a window in front tells by itself. */
  readonly isWanted: () => boolean;
  readonly show: (notification: NotificationText) => void;
  readonly now?: () => number;
  /** Until the events are asked for again after the connection broke. */
  readonly retryMs?: number;
}

/** One container that dies again and again is told once in this time. */
const quietMs = 5 * 60_000;
/** A stop kills the container, and until this it may take to die; after that it died by itself. */
const stopMs = 60_000;
/** Of containers remembered. */
const maxKept = 1000;

export class Notifier implements Disposable {
  readonly #options: NotifierOptions;
  readonly #abort = new AbortController();
  readonly #unsubscribe: (() => void)[] = [];
  /** By container: when somebody sent it a signal, when its death was told last, and whether its memory ran out. */
  readonly #killedAt = new Map<string, number>();
  readonly #toldAt = new Map<string, number>();
  readonly #outOfMemory = new Set<string>();
  #tasks: readonly TaskView[] | undefined;
  #vm: VmView | undefined;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#unsubscribe.push(
      options.client.subscribe('tasks', (tasks) => this.#lookAtTasks(tasks)),
      options.client.subscribe('vm', (vm) => (this.#vm = vm)),
    );
    void this.#follow();
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    for (const end of this.#unsubscribe) end();
  }

  /** What had ended before is not news. */
  #lookAtTasks(tasks: readonly TaskView[]): void {
    const before = this.#tasks;
    this.#tasks = tasks;
    for (const task of tasks) {
      const was = before?.find(({ id }) => id === task.id);
      if (task.kind !== 'pull' || was?.state !== 'running') continue;
      const body = plainText(task.subject);
      if (task.state === 'done') {
        this.#show({ title: 'Pull finished', body, link: { noun: 'images', name: task.subject } });
      } else if (task.state === 'failed') {
        this.#show({ title: 'Pull failed', body, link: { noun: 'images' } });
      }
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const stream = this.#options.client.open('engine.events', {});
      const close = () => stream.close();
      signal.addEventListener('abort', close);
      try {
        for await (const event of stream) this.#lookAtEvent(event);
      } catch {
        // The connection to the host broke; what is missed meanwhile is not told later.
      } finally {
        signal.removeEventListener('abort', close);
      }
      await sleep(this.#options.retryMs ?? 2000, undefined, { signal }).catch(() => undefined);
    }
  }

  #lookAtEvent({ type, action, actorId, attributes }: EngineEvent): void {
    if (type !== 'container') return;
    const now = (this.#options.now ?? Date.now)();
    switch (action) {
      case 'kill':
        remember(this.#killedAt, actorId, now);
        break;
      case 'oom':
        if (this.#outOfMemory.size >= maxKept) this.#outOfMemory.clear();
        this.#outOfMemory.add(actorId);
        break;
      case 'start':
        this.#killedAt.delete(actorId);
        this.#outOfMemory.delete(actorId);
        break;
      case 'destroy':
        this.#killedAt.delete(actorId);
        this.#toldAt.delete(actorId);
        this.#outOfMemory.delete(actorId);
        break;
      case 'die':
        this.#tellDeath(actorId, attributes, now);
        break;
    }
  }

  /** Not of one that did its work (0), that somebody stopped, or that stops with the VM. */
  #tellDeath(id: string, attributes: Readonly<Record<string, string>>, now: number): void {
    const { name = id, exitCode = '' } = attributes;
    const wasStopped = now - (this.#killedAt.get(id) ?? -Infinity) < stopMs;
    const wasTold = now - (this.#toldAt.get(id) ?? -Infinity) < quietMs;
    if (exitCode === '0' || wasStopped || wasTold || this.#vm?.state.kind !== 'ready') return;
    remember(this.#toldAt, id, now);
    const why = this.#outOfMemory.has(id) ? 'It ran out of memory.' : `It ended with exit code ${plainText(exitCode)}.`;
    this.#show({ title: `${plainText(name)} died`, body: why, link: { noun: 'containers', name, tab: 'logs' } });
  }

  #show(notification: NotificationText): void {
    if (this.#options.isWanted()) this.#options.show(notification);
  }
}

function remember(times: Map<string, number>, id: string, now: number): void {
  times.delete(id);
  times.set(id, now);
  const [oldest] = times.keys();
  if (times.size > maxKept && oldest !== undefined) times.delete(oldest);
}
