/** The logs of several containers as one, merged by time. Each is resumed by itself after a break. */
import { errorText, followStream } from '../stores/follow-stream.ts';
import { LogSource, type FeedState, type OlderLines } from './log-source.ts';
import { MergeWindow } from './merge-window.ts';
import { ResumePoint } from './resume-point.ts';

/** Lines asked for at first, of all logs together. */
const openingTail = 20_000;
const applyMs = 100;

export class MergedFeed extends LogSource {
  readonly #ids: readonly string[];
  readonly #states = new Map<string, FeedState>();
  readonly #resume = new Map<string, ResumePoint>();
  #window: MergeWindow;
  #timer: ReturnType<typeof setInterval> | undefined;
  #abort: AbortController | undefined;
  #short = false;

  constructor(ids: readonly string[]) {
    super();
    this.#ids = ids;
    this.#window = new MergeWindow(Date.now(), ids.length);
  }

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

  protected forget(): void {
    this.close();
    this.#resume.clear();
    this.#short = false;
  }

  protected fail(message: string): void {
    for (const id of this.#ids) this.#states.set(id, { kind: 'failed', message });
    this.#settle();
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
    this.tell();
  }
}
