/** One container's log on its way to its worker: reopened where it stopped, with older lines fetched on demand. */
import type { LogLine } from '../../src-main/contract/engine.ts';
import { host } from '../bridge.ts';
import { errorText, followStream } from '../stores/follow-stream.ts';
import { LogSource, type FeedState, type OlderLines } from './log-source.ts';
import { compareTimes } from './log-times.ts';
import { ResumePoint } from './resume-point.ts';

/** How many lines are asked for at first. */
const openingTail = 50_000;

export class LogFeed extends LogSource {
  readonly #containerId: string;
  #abort: AbortController | undefined;
  #resume = new ResumePoint();
  #olderAbort: AbortController | undefined;
  #older: OlderLines = { kind: 'more' };
  /** The oldest line when it was found that none is before it, or that there is no room for any. */
  #olderFirst = 0;
  /** Whether the engine had fewer lines than were asked for. */
  #isShort = true;

  constructor(containerId: string) {
    super();
    this.#containerId = containerId;
  }

  open(): void {
    if (this.#abort) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#change({ kind: 'opening' });
    let count = this.#resume.time === undefined ? 0 : -Infinity;
    void followStream('logs.follow', {
      input: () => {
        this.#resume.resume();
        const since = this.#resume.time;
        const base = { containerId: this.#containerId, follow: true };
        return since === undefined ? { ...base, tail: openingTail } : { ...base, tail: 'all', since };
      },
      onOpen: () => this.#change({ kind: 'live' }),
      onItem: async ({ lines }) => {
        count += lines.length;
        if (count >= openingTail) this.#isShort = false;
        await this.log.append(this.#resume.fresh(lines));
      },
      onBreak: () => this.#change({ kind: 'broken' }),
      signal: abort.signal,
    })
      .then(
        (): FeedState => ({ kind: 'ended' }),
        (error: unknown): FeedState => ({ kind: 'failed', message: errorText(error) }),
      )
      .then((state) => {
        if (abort.signal.aborted) return;
        this.#abort = undefined;
        this.#change(state);
      });
  }

  close(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#olderAbort?.abort();
    this.#olderAbort = undefined;
    this.log.close();
  }

  get older(): OlderLines {
    const { firstKept } = this.log.view;
    const isFinding = this.#older.kind === 'start' || this.#older.kind === 'full';
    if (isFinding) return firstKept === this.#olderFirst ? this.#older : { kind: 'more' };
    return this.#isShort && firstKept === 0 ? { kind: 'start' } : this.#older;
  }

  /** As many again as are here. Until then the log must be held: what lies between would go. */
  override loadOlder(): void {
    if (this.#olderAbort || this.older.kind === 'start' || this.log.view.kept === 0) return;
    const abort = new AbortController();
    this.#olderAbort = abort;
    this.#older = { kind: 'loading', count: 0 };
    this.tell();
    void this.#fetchOlder(abort.signal)
      .catch((error: unknown): OlderLines => ({ kind: 'failed', message: errorText(error) }))
      .then((older) => {
        if (abort.signal.aborted) return;
        this.#olderAbort = undefined;
        this.#older = older;
        this.tell();
      });
  }

  async #fetchOlder(signal: AbortSignal): Promise<OlderLines> {
    const { kept, firstKept, firstTime } = this.log.view;
    let oldest: string | undefined;
    let count = 0;
    const tail = kept + Math.max(kept, openingTail);
    await this.#read({ tail, until: firstTime }, signal, async (lines) => {
      await this.log.addOlder(lines, count === 0);
      oldest ??= lines[0]?.time;
      count += lines.length;
      this.#older = { kind: 'loading', count };
      this.tell();
    });
    const { count: taken, left } = count === 0 ? { count: 0, left: 0 } : await this.log.prepend(firstKept);
    this.#olderFirst = firstKept - taken;
    if (left > 0) return { kind: 'full' };
    const isMore = oldest !== undefined && taken > 0 && (await this.#isAnyBefore(oldest, signal));
    // What came was all known, unless the oldest here went meanwhile.
    const isGap = taken === 0 && oldest !== undefined && compareTimes(oldest, firstTime) < 0;
    return isMore || isGap ? { kind: 'more' } : { kind: 'start' };
  }

  async #isAnyBefore(time: string, signal: AbortSignal): Promise<boolean> {
    let first: string | undefined;
    await this.#read({ tail: 'all', until: time }, signal, (lines) => {
      first ??= lines[0]?.time;
      return false;
    });
    return first !== undefined && compareTimes(first, time) < 0;
  }

  /** Reads to the end, or until `take` says false. */
  async #read(
    input: { readonly tail: number | 'all'; readonly until: string },
    signal: AbortSignal,
    take: (lines: readonly LogLine[]) => Promise<void> | false,
  ): Promise<void> {
    const stream = host.open('logs.follow', { containerId: this.#containerId, follow: false, ...input });
    const close = (): void => stream.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      for await (const { lines } of stream) {
        const taken = take(lines);
        if (taken === false) break;
        await taken;
      }
    } finally {
      signal.removeEventListener('abort', close);
      stream.close();
    }
    signal.throwIfAborted();
  }

  protected forget(): void {
    this.close();
    this.#resume = new ResumePoint();
    this.#older = { kind: 'more' };
    this.#isShort = true;
  }

  protected fail(message: string): void {
    this.#change({ kind: 'failed', message });
  }

  #change(state: FeedState): void {
    this.state = state;
    this.tell();
  }
}
