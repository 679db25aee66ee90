/** One container's log on its way into a buffer: reopened where it stopped, applied in batches off the stream's path. */
import type { LogLine } from '../../src-main/contract/engine.ts';
import { errorText, followStream } from '../stores/follow-stream.ts';
import { compareTimes } from './log-times.ts';
import { LogBuffer } from './log-buffer.ts';
import type { FeedState, LogSource } from './log-source.ts';

/** How many lines are asked for at first. */
const openingTail = 50_000;
const applyMs = 80;
/** More lines in one task would hold the window up; the rest follows in the next ones. */
const linesPerTask = 4000;

export class LogFeed implements LogSource {
  readonly buffer = new LogBuffer();
  state: FeedState = { kind: 'opening' };
  /** Grows with every change: what a view compares. */
  version = 0;
  readonly #containerId: string;
  readonly #listeners = new Set<() => void>();
  #waiting: LogLine[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;
  /** The time it went on from, until the first line after it. */
  #resumedAt: string | undefined;

  constructor(containerId: string) {
    this.#containerId = containerId;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Whether more lines came than were asked for, so that older ones exist which were never here. */
  get reachesStart(): boolean {
    return this.buffer.firstNumber === 0 && this.buffer.size < openingTail;
  }

  /** Opens it, or opens it again after its end, from where it stopped. */
  open(): void {
    if (this.#abort) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#change({ kind: 'opening' });
    followStream('logs.follow', {
      input: () => {
        this.#apply();
        const last = this.buffer.last()?.time;
        const base = { containerId: this.#containerId, follow: true };
        this.#resumedAt = last;
        return last === undefined ? { ...base, tail: openingTail } : { ...base, tail: 'all', since: last };
      },
      onOpen: () => this.#change({ kind: 'live' }),
      onItem: ({ lines }) => this.#take(lines),
      onBreak: () => this.#change({ kind: 'broken' }),
      signal: abort.signal,
    })
      .then(
        () => this.#change({ kind: 'ended' }),
        (error: unknown) => this.#change({ kind: 'failed', message: errorText(error) }),
      )
      .finally(() => {
        if (this.#abort === abort) this.#abort = undefined;
      });
  }

  close(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #take(lines: readonly LogLine[]): void {
    const fresh = this.#resumedAt === undefined ? lines : this.#withoutSeen(lines, this.#resumedAt);
    for (const line of fresh) this.#waiting.push(line);
    this.#applyIn(applyMs);
  }

  #applyIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.buffer.append(this.#waiting.splice(0, linesPerTask));
      this.#tell();
      if (this.#waiting.length > 0) this.#applyIn(0);
    }, ms);
  }

  /** `since` includes the time it names: what was already here is not taken again. */
  #withoutSeen(lines: readonly LogLine[], resumedAt: string): readonly LogLine[] {
    const fresh = lines.filter((line) => compareTimes(line.time, resumedAt) > 0 || !this.#has(line));
    const last = lines.at(-1);
    if (last && compareTimes(last.time, resumedAt) > 0) this.#resumedAt = undefined;
    return fresh;
  }

  /** Whether this very line is among the newest ones kept; lines may share a time. */
  #has({ time, text, stream }: LogLine): boolean {
    for (let index = this.buffer.size - 1; index >= 0; index -= 1) {
      const kept = this.buffer.at(index);
      if (!kept || compareTimes(kept.time, time) < 0) return false;
      if (kept.time === time && kept.text === text && kept.stream === stream) return true;
    }
    return false;
  }

  #apply(): void {
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    this.buffer.append(lines);
  }

  #change(state: FeedState): void {
    this.#apply();
    this.state = state;
    this.#tell();
  }

  #tell(): void {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}
