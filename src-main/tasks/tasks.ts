/**
 * Long work on behalf of the windows. A task belongs to the host, so that closing or reloading a window neither ends nor
 * forgets it; every window sees the same list. Ended ones are kept for a while, to be read.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, toErrorView } from '../contract/errors.ts';
import type { TaskKind, TaskView } from '../contract/tasks.ts';
import { TaskOutput } from './output.ts';
import { PublishedValue } from '../engine/published-value.ts';

/** How often windows are told; the progress itself comes much faster. */
const publishEveryMs = 100;
const maxEnded = 20;
/** Beyond this a window has gone wrong. */
const maxRunning = 64;
const closeDeadlineMs = 5000;

/** What changes while it runs; each report replaces the last one whole. */
export type TaskProgress = Partial<
  Pick<TaskView, 'layers' | 'fraction' | 'bytesPerSecond' | 'bytes' | 'step' | 'digest' | 'names'>
>;

/**
 * Reports as it goes; resolves to the bytes that came, went, or came back. The signal aborts when the task is cancelled.
 * @param print takes text for {@link Tasks.output}
 */
export type TaskWork = (
  report: (progress: TaskProgress) => void,
  signal: AbortSignal,
  print: (text: string) => void,
) => Promise<number>;

interface Running {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

export class Tasks {
  readonly views = new PublishedValue<readonly TaskView[]>([]);
  /** Newest first. */
  #all: readonly TaskView[] = [];
  readonly #running = new Map<string, Running>();
  readonly #outputs = new Map<string, TaskOutput>();
  #publishing: NodeJS.Timeout | undefined;
  #lastId = 0;

  /** Starts it, or joins the one that does the same already. Returns the id. */
  join(kind: TaskKind, subject: string, work: TaskWork): string {
    const same = this.#all.find((task) => task.kind === kind && task.subject === subject && task.state === 'running');
    return same?.id ?? this.start(kind, subject, work);
  }

  /** Starts it beside any other. Returns the id. */
  start(kind: TaskKind, subject: string, work: TaskWork): string {
    if (this.#running.size >= maxRunning) {
      throw new AppError('unavailable', `start the work on ${subject}: ${maxRunning} others are under way`);
    }
    this.#lastId += 1;
    const id = `${process.pid}-${this.#lastId}`;
    this.#all = [{ id, kind, subject, state: 'running', startedAtMs: Date.now(), layers: [] }, ...this.#all];
    const abort = new AbortController();
    const output = new TaskOutput();
    this.#outputs.set(id, output);
    this.#running.set(id, { abort, ended: this.#run(id, work, output, abort.signal) });
    this.#publish();
    return id;
  }

  /** The work is told to end; until it has, it shows as cancelled already. */
  cancel(id: string): void {
    const running = this.#running.get(id);
    if (!running) return;
    this.#end(id, { state: 'cancelled' });
    running.abort.abort();
  }

  /** Takes an ended one off the list. */
  forget(id: string): void {
    this.#all = this.#all.filter((task) => task.id !== id || task.state === 'running');
    this.#publish();
  }

  /** What it has printed and prints. */
  output(id: string): TaskOutput {
    const output = this.#outputs.get(id);
    if (!output) {
      throw new AppError('not-found', 'show the output: this work is no longer on the list', {
        hint: 'Start it again.',
      });
    }
    return output;
  }

  /** Cancels everything and waits for it, not for ever. */
  async close(): Promise<void> {
    const running = [...this.#running.entries()];
    for (const [id] of running) this.cancel(id);
    const all = Promise.all(running.map(([, { ended }]) => ended));
    const over = new AbortController();
    await Promise.race([all, delay(closeDeadlineMs, undefined, { signal: over.signal, ref: false })]);
    over.abort();
    clearTimeout(this.#publishing);
  }

  async #run(id: string, work: TaskWork, output: TaskOutput, signal: AbortSignal): Promise<void> {
    try {
      const resultBytes = await work(
        (progress) => this.#report(id, progress),
        signal,
        (text) => output.print(text),
      );
      this.#end(id, { state: 'done', resultBytes });
    } catch (error) {
      this.#end(id, { state: 'failed', error: toErrorView(error) });
    } finally {
      output.end();
      this.#running.delete(id);
    }
  }

  #report(id: string, progress: TaskProgress): void {
    this.#change(id, ({ fraction: _fraction, bytesPerSecond: _speed, ...task }) => ({ ...task, ...progress }));
    this.#publishing ??= setTimeout(() => this.#publish(), publishEveryMs).unref();
  }

  /** What ended first stays: a cancelled task whose work then fails was cancelled. */
  #end(id: string, how: Pick<TaskView, 'state' | 'resultBytes' | 'error'>): void {
    this.#change(id, (task) => ({ ...task, ...how, endedAtMs: Date.now() }));
    let ended = 0;
    this.#all = this.#all.filter(({ state }) => state === 'running' || (ended += 1) <= maxEnded);
    this.#publish();
  }

  #change(id: string, next: (task: TaskView) => TaskView): void {
    this.#all = this.#all.map((task) => (task.id === id && task.state === 'running' ? next(task) : task));
  }

  #publish(): void {
    for (const id of this.#outputs.keys()) if (!this.#all.some((task) => task.id === id)) this.#outputs.delete(id);
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    this.views.set(this.#all);
  }
}
