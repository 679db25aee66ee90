/** The logs of several containers as one, merged by time. Each is resumed by itself after a break. */
import { errorText, followStream } from '../stores/follow-stream.ts';
import { LogClient } from './log-client.ts';
import type { FeedState, LogSource, OlderLines } from './log-source.ts';
import { MergeWindow } from './merge-window.ts';
import { ResumePoint } from './resume-point.ts';

/** Lines asked for at first, of all logs together. */
const openingTail = 20_000;
const applyMs = 100;

export class MergedFeed implements LogSource {
  readonly log = new LogClient({
    onView: () => this.#tell(),
    onStuck: () => {
      this.#reset();
      this.open();
    },
    onFailed: (message) => {
      this.#reset();
      for (const id of this.#ids) this.#states.set(id, { kind: 'failed', message });
      this.#settle();
    },
  });
  state: FeedState = { kind: 'opening' };
  version = 0;
  readonly #ids: readonly string[];
  readonly #states = new Map<string, FeedState>();
  readonly #resume = new Map<string, ResumePoint>();
  readonly #listeners = new Set<() => void>();
  #window: MergeWindow;
  #timer: ReturnType<typeof setInterval> | undefined;
  #abort: AbortController | undefined;
  #short = false;

  constructor(ids: readonly string[]) {
    this.#ids = ids;
    this.#window = new MergeWindow(Date.now(), ids.length);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get older(): OlderLines {
    const isWhole = !this.#short && this.log.view.firstKept === 0;
    return isWhole ? { kind: 'start' } : { kind: 'elsewhere', linesOfEach: this.#tail };
  }

  open(): void {
    if (this.#abort) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#window = new MergeWindow(Date.now(), this.#ids.length);
    this.#timer = setInterval(() => this.#apply(), applyMs);
    for (const [origin, id] of this.#ids.entries()) this.#follow(id, origin, abort.signal);
    this.#settle();
  }

  close(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    clearInterval(this.#timer);
    this.log.close();
  }

  /** The lines are gone: they are to be read anew. */
  #reset(): void {
    this.close();
    this.#resume.clear();
    this.#short = false;
  }

  get #tail(): number {
    return Math.ceil(openingTail / this.#ids.length);
  }

  #follow(containerId: string, origin: number, signal: AbortSignal): void {
    const tail = this.#tail;
    const resume = this.#resume.get(containerId) ?? new ResumePoint();
    this.#resume.set(containerId, resume);
    let first = 0;
    this.#states.set(containerId, { kind: 'opening' });
    void followStream('logs.follow', {
      input: () => {
        resume.resume();
        const since = resume.time;
        return { containerId, follow: true, ...(since === undefined ? { tail } : { tail: 'all' as const, since }) };
      },
      onOpen: () => this.#change(containerId, { kind: 'live' }),
      onItem: ({ lines }) => {
        first += lines.length;
        this.#short ||= first >= tail;
        this.#window.add(resume.fresh(lines), origin, Date.now());
      },
      onBreak: () => this.#change(containerId, { kind: 'broken' }),
      signal,
    })
      .then(
        (): FeedState => ({ kind: 'ended' }),
        (error: unknown): FeedState => ({ kind: 'failed', message: errorText(error) }),
      )
      .then((state) => {
        if (!signal.aborted) this.#change(containerId, state);
      });
  }

  #apply(): void {
    const lines = this.#window.take(Date.now());
    if (lines.length === 0) return;
    void this.log.append(lines);
  }

  #change(id: string, state: FeedState): void {
    this.#states.set(id, state);
    this.#settle();
  }

  /** What the reader should know first: a log that failed, one that broke. */
  #settle(): void {
    const states = [...this.#states.values()];
    const pick = (kind: FeedState['kind']) => states.find((state) => state.kind === kind);
    this.state = pick('failed') ?? pick('broken') ?? pick('live') ?? pick('opening') ?? { kind: 'ended' };
    this.#tell();
  }

  #tell(): void {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}
