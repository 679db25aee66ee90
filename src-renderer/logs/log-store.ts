/** All that is known of one log: its lines, which of them pass the filter, which match, and what of them is in sight. Pure. */
import { stripAnsi } from './ansi.ts';
import { LogBuffer, type IncomingLine, type KeptLine, type LogLimits } from './log-buffer.ts';
import { FilteredLog, type LineFilter } from './log-filter.ts';
import type { LogAnswer, LogRequest, LogView, Look, SearchView, ShownLine } from './log-protocol.ts';
import { compileQuery, hitsIn, LogSearch, type Query } from './log-search.ts';
import { prettyJson } from './pretty-json.ts';

/** Longer lines are cut until asked for. */
const shownChars = 4096;

/** How many lines are laid out at once. */
export interface Stretch {
  readonly followed: number;
  readonly read: number;
}

/** Laying out takes time with each line, and a page is 33 million physical pixels high at most. */
const usualStretch: Stretch = { followed: 20_000, read: 200_000 };
/** Rows given of the end. */
const endRows = 300;
const stepMs = 100;

export class LogStore {
  readonly #source: LogBuffer;
  readonly #stretch: Stretch;
  /** Laid aside until all of them are there. */
  #older: IncomingLine[] = [];
  #filtered: FilteredLog | undefined;
  #search: LogSearch | undefined;
  #problem: string | undefined;
  #current: number | undefined;
  #look: Look = 'end';
  #pretty = false;
  /** Where the stretch begins, or undefined while it goes along with the end. */
  #base: number | undefined;

  constructor(limits?: LogLimits, stretch = usualStretch) {
    this.#source = new LogBuffer(limits);
    this.#stretch = stretch;
  }

  get #shown(): LogBuffer {
    return this.#filtered?.buffer ?? this.#source;
  }

  /** What is to be said in return at once; views are asked for by {@link view}. */
  receive(request: LogRequest): LogAnswer | undefined {
    switch (request.kind) {
      case 'append':
        this.#source.append(request.lines);
        return { kind: 'taken', count: request.lines.length, left: 0 };
      case 'older':
        if (request.begins) this.#older = [];
        for (const line of request.lines) this.#older.push(line);
        return { kind: 'taken', count: 0, left: 0 };
      case 'prepend':
        return this.#prepend(request.before);
      case 'look':
        this.#look = request.look;
        return undefined;
      case 'follow':
        this.#follow(request.following);
        return undefined;
      case 'move':
        this.#move(request.to);
        return undefined;
      case 'filter':
        this.#filter(request.filter);
        return undefined;
      case 'search':
        this.#searchFor(request.query);
        return undefined;
      case 'step':
        this.#step(request.by);
        return undefined;
      case 'pretty':
        this.#pretty = request.pretty;
        return undefined;
      case 'whole':
        return { kind: 'text', text: this.#byNumber(request.number)?.text ?? '', lines: 1 };
      case 'text':
        return this.#text(request);
      case 'ping':
        return { kind: 'pong' };
    }
  }

  /** Filters and searches for about this long; whether there is more to do. */
  work(budgetMs: number): boolean {
    this.#filtered?.scan(budgetMs);
    this.#search?.scan(budgetMs);
    return this.#filtered?.complete === false || this.#search?.complete === false;
  }

  view(): LogView {
    const shown = this.#shown;
    const first = this.#first;
    const end = this.#base === undefined ? shown.endNumber : Math.min(shown.endNumber, first + this.#stretch.read);
    const oldest = this.#source.at(0);
    return {
      first,
      size: end - first,
      before: first - shown.firstNumber,
      after: shown.endNumber - end,
      rows: this.#rows(first, end),
      kept: this.#source.size,
      firstKept: this.#source.firstNumber,
      firstTime: oldest?.time ?? '',
      passing: shown.size,
      filtering: this.#filtered?.complete === false,
      search: this.#searchView(),
    };
  }

  get #first(): number {
    const { firstNumber, endNumber } = this.#shown;
    return Math.max(firstNumber, Math.min(endNumber, this.#base ?? endNumber - this.#stretch.followed));
  }

  #rows(first: number, end: number): readonly ShownLine[] {
    const { from, to } = this.#look === 'end' ? { from: end - endRows, to: end } : this.#look;
    const rows: ShownLine[] = [];
    for (let number = Math.max(first, from); number < Math.min(end, to); number += 1) {
      const line = this.#byNumber(number);
      if (line) rows.push(this.#shownLine(line));
    }
    return rows;
  }

  #shownLine({ number, stream, time, text, start, origin = 0 }: KeptLine): ShownLine {
    const json = this.#pretty ? prettyJson(stripAnsi(text)) : undefined;
    const cutChars = json === undefined ? Math.max(0, text.length - shownChars) : 0;
    const pattern = this.#search?.pattern;
    return {
      ...{ number, stream, time, start, origin, cutChars },
      text: cutChars > 0 ? text.slice(0, shownChars) : text,
      ...(json === undefined ? {} : { json }),
      hits: pattern === undefined ? [] : hitsIn(json ?? stripAnsi(text), pattern),
    };
  }

  #searchView(): SearchView {
    const search = this.#search;
    const current = this.#current;
    return {
      count: search?.count ?? 0,
      scanning: search?.complete === false,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      ...(current === undefined ? {} : { current }),
      place: search === undefined || current === undefined ? 0 : search.placeOf(current) + 1,
    };
  }

  #byNumber(number: number): KeptLine | undefined {
    return this.#shown.at(number - this.#shown.firstNumber);
  }

  /** None when lines at the front went since they were asked for: there would be a gap. */
  #prepend(before: number): LogAnswer {
    const older = this.#older;
    this.#older = [];
    if (before !== this.#source.firstNumber) return { kind: 'taken', count: 0, left: 0 };
    // The engine's `until` takes in the lines of that very time, some of which are here.
    const time = this.#source.at(0)?.time;
    for (let known = 0; this.#source.at(known)?.time === time && older.at(-1)?.time === time; known += 1) older.pop();
    const count = this.#source.prepend(older);
    return { kind: 'taken', count, left: older.length - count };
  }

  #follow(following: boolean): void {
    this.#base = following ? undefined : this.#shown.endNumber - this.#stretch.read / 2;
    this.#source.held = !following;
    if (this.#filtered) this.#filtered.buffer.held = !following;
    if (following) this.#look = 'end';
  }

  #move(to: 'before' | 'after' | 'start'): void {
    const half = this.#stretch.read / 2;
    const { firstNumber, endNumber } = this.#shown;
    const bases = { before: this.#first - half, after: this.#first + half, start: firstNumber };
    this.#base = Math.min(bases[to], endNumber - half);
  }

  #filter(filter: LineFilter): void {
    const none = filter.stream === 'all' && filter.level === 'all';
    this.#filtered = none ? undefined : new FilteredLog(this.#source, filter);
    if (this.#filtered) this.#filtered.buffer.held = this.#source.held;
    // Lines have other numbers now.
    if (this.#base !== undefined) this.#base = this.#shown.endNumber - this.#stretch.read / 2;
    this.#look = 'end';
    this.#current = undefined;
    if (this.#search) this.#search = new LogSearch(this.#shown, this.#search.pattern);
  }

  #searchFor(query: Query): void {
    const { pattern, problem } = compileQuery(query);
    this.#problem = problem;
    this.#current = undefined;
    this.#search = pattern ? new LogSearch(this.#shown, pattern) : undefined;
  }

  #step(by: 1 | -1): void {
    const search = this.#search;
    // What was typed a moment ago may not have been looked for yet.
    if (search?.count === 0) search.scan(stepMs);
    if (!search || search.count === 0) return;
    // From nowhere: the newest match first, since the end of a log is where one looks.
    const last = search.count - 1;
    const from = this.#current === undefined ? undefined : search.placeOf(this.#current);
    const place = from === undefined ? last : (from + by + search.count) % search.count;
    const current = search.at(place);
    if (current === undefined) return;
    this.#current = current;
    const first = this.#first;
    if (current < first || current >= first + this.#stretch.read) this.#base = current - this.#stretch.read / 2;
    this.#look = { from: current - endRows / 2, to: current + endRows / 2 };
  }

  #text({ names, times }: Extract<LogRequest, { kind: 'text' }>): LogAnswer {
    const lines: string[] = [];
    for (const { time, text, origin = 0 } of this.#shown) {
      const stamp = times ? `${time} ` : '';
      const name = names === undefined ? '' : `${names[origin] ?? ''} | `;
      lines.push(`${stamp}${name}${stripAnsi(text)}`);
    }
    return { kind: 'text', text: lines.join('\n'), lines: lines.length };
  }
}
