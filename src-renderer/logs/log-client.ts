/** The page's side of a log's worker: its last view, what is asked of it, and its end when it is stuck. */
import type { IncomingLine } from './log-buffer.ts';
import { noFilter, type LineFilter } from './log-filter.ts';
import { emptyView, type LogAnswer, type LogRequest, type LogView, type ShownLine } from './log-protocol.ts';
import type { Query } from './log-search.ts';

/** Rows asked for beyond those in sight, and how near to the end of what is at hand more are asked for. */
const spareRows = 200;
const nearRows = 60;
/** A hostile expression on one line can take for ever. Anything else is answered within a fraction of so many pings. */
const pingMs = 1000;
const pingsUnanswered = 5;

interface Events {
  /** There is a new view. */
  readonly onView: () => void;
  /** It was ended, and its lines are gone: the log has to be read anew. */
  readonly onStuck: () => void;
  /** The worker did not start, or met an error of its own; its lines are gone. */
  readonly onFailed: (message: string) => void;
}

type TextAnswer = Extract<LogAnswer, { kind: 'text' }>;
type Answer = Extract<LogAnswer, { kind: 'taken' | 'text' }>;

export class LogClient {
  view: LogView = emptyView;
  readonly #events: Events;
  #worker: Worker | undefined;
  /** Each question that is answered, in their order. */
  #waiting: ((answer: Answer | undefined) => void)[] = [];
  #asked: { from: number; to: number } | undefined;
  #filter = noFilter;
  #query: Query = { text: '', regex: false };
  #pretty = false;
  #following = true;
  #watch: ReturnType<typeof setInterval> | undefined;
  #unanswered = 0;
  /** Why the query is not looked for. */
  #problem: string | undefined;

  constructor(events: Events) {
    this.#events = events;
  }

  /** Resolves once they are in, and when the log is closed before. */
  async append(lines: readonly IncomingLine[]): Promise<void> {
    this.#worker ??= this.#start();
    await this.#ask({ kind: 'append', lines });
  }

  /** Lines from before the oldest, in their order, laid aside until {@link prepend}. */
  async addOlder(lines: readonly IncomingLine[], begins: boolean): Promise<void> {
    await this.#ask({ kind: 'older', lines, begins });
  }

  /** Puts them before the oldest, whose number is `before`: none when that went meanwhile. */
  async prepend(before: number): Promise<{ readonly count: number; readonly left: number }> {
    const answer = await this.#ask({ kind: 'prepend', before });
    return answer?.kind === 'taken' ? answer : { count: 0, left: 0 };
  }

  row(number: number): ShownLine | undefined {
    const { rows } = this.view;
    return rows[number - (rows[0]?.number ?? 0)];
  }

  /** The rows in sight, by number; asked for with some to spare. */
  look(from: number, to: number): void {
    const asked = this.#asked;
    if (this.#following || (asked && from - nearRows >= asked.from && to + nearRows <= asked.to)) return;
    this.#asked = { from: from - spareRows, to: to + spareRows };
    this.#post({ kind: 'look', look: this.#asked });
  }

  follow(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    this.#asked = undefined;
    this.#post({ kind: 'follow', following });
  }

  move(to: 'before' | 'after' | 'start'): void {
    this.#post({ kind: 'move', to });
  }

  filter(filter: LineFilter): void {
    this.#filter = filter;
    this.#asked = undefined;
    this.#post({ kind: 'filter', filter });
  }

  search(query: Query): void {
    if (query.text === this.#query.text && query.regex === this.#query.regex) return;
    this.#query = query;
    this.#problem = undefined;
    this.#post({ kind: 'search', query });
    this.#watchOver();
  }

  step(by: 1 | -1): void {
    this.#asked = undefined;
    this.#post({ kind: 'step', by });
  }

  pretty(pretty: boolean): void {
    if (pretty === this.#pretty) return;
    this.#pretty = pretty;
    this.#post({ kind: 'pretty', pretty });
  }

  /** One line without its cut. */
  async whole(number: number): Promise<string> {
    return (await this.#askText({ kind: 'whole', number })).text;
  }

  /** The lines that pass the filter. */
  text(options: { readonly names?: readonly string[]; readonly times: boolean }): Promise<TextAnswer> {
    return this.#askText({ kind: 'text', ...options });
  }

  close(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#asked = undefined;
    this.view = emptyView;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  async #askText(request: LogRequest): Promise<TextAnswer> {
    const answer = await this.#ask(request);
    return answer?.kind === 'text' ? answer : { kind: 'text', text: '', lines: 0 };
  }

  /** The answer, or undefined when the log is closed. */
  #ask(request: LogRequest): Promise<Answer | undefined> {
    if (!this.#worker) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#post(request);
    });
  }

  /** What is wished before the first lines come is told then. */
  #post(request: LogRequest): void {
    this.#worker?.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker('log-worker.js', { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<LogAnswer>) => this.#receive(data);
    worker.onerror = (event) => {
      this.close();
      const reason = event instanceof ErrorEvent ? event.message : 'its worker did not start';
      this.#events.onFailed(`keep the log: ${reason}`);
    };
    const wishes: readonly LogRequest[] = [
      { kind: 'pretty', pretty: this.#pretty },
      { kind: 'follow', following: this.#following },
      { kind: 'filter', filter: this.#filter },
      { kind: 'search', query: this.#query },
    ];
    for (const wish of wishes) worker.postMessage(wish);
    this.#watchOver();
    return worker;
  }

  #receive(answer: LogAnswer): void {
    this.#unanswered = 0;
    if (answer.kind === 'pong') return;
    if (answer.kind === 'view') this.#show(answer.view);
    else this.#waiting.shift()?.(answer);
  }

  #show({ rows, search, ...view }: LogView): void {
    this.view = {
      ...view,
      rows: rows.map((row) => this.#known(row)),
      search: this.#problem === undefined ? search : { ...search, problem: this.#problem },
    };
    this.#events.onView();
  }

  /** The row as it was, if it was the same: what is drawn of it then stays. */
  #known(row: ShownLine): ShownLine {
    const before = this.row(row.number);
    const same =
      before?.time === row.time &&
      before.text === row.text &&
      before.json === row.json &&
      before.hits.length === 0 &&
      row.hits.length === 0;
    return same ? before : row;
  }

  /** While an expression of the user's is at work. */
  #watchOver(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#unanswered = 0;
    if (!this.#query.regex || this.#query.text === '') return;
    this.#watch = setInterval(() => {
      if (this.#unanswered >= pingsUnanswered) this.#giveUp();
      else if (this.#worker) {
        this.#unanswered += 1;
        this.#post({ kind: 'ping' });
      }
    }, pingMs);
  }

  #giveUp(): void {
    this.#query = { text: '', regex: false };
    this.#problem = 'this expression takes too long on this log';
    this.close();
    this.#show(emptyView);
    this.#events.onStuck();
  }
}
