/** Finding text in a log while it grows at both ends, a slice at a time. */
import { stripAnsi } from './ansi.ts';
import type { KeptLine, LogBuffer } from './log-buffer.ts';
import { ScannedRange } from './scanned-range.ts';

export interface Query {
  readonly text: string;
  readonly regex: boolean;
}

/** Beyond this a line is not searched: a hostile pattern on a hostile line would take for ever. */
export const searchedChars = 16_384;

/** The expression for a query; undefined for an empty one, or the problem with it. */
export function compileQuery({ text, regex }: Query): { readonly pattern?: RegExp; readonly problem?: string } {
  if (text === '') return {};
  try {
    return { pattern: new RegExp(regex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'giu') };
  } catch (error) {
    return {
      problem: error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : String(error),
    };
  }
}

/** Start and end of each hit in a text; empty hits are none. */
export function hitsIn(text: string, pattern: RegExp): readonly (readonly [number, number])[] {
  const hits: [number, number][] = [];
  for (const match of text.slice(0, searchedChars).matchAll(pattern)) {
    if (match[0] !== '') hits.push([match.index, match.index + match[0].length]);
  }
  return hits;
}

export class LogSearch {
  readonly pattern: RegExp;
  readonly #buffer: LogBuffer;
  readonly #range: ScannedRange;
  /** Numbers of matching lines: those found backwards, descending, and the others, ascending. */
  readonly #back: number[] = [];
  #forth: number[] = [];

  constructor(buffer: LogBuffer, pattern: RegExp) {
    this.#buffer = buffer;
    this.#range = new ScannedRange(buffer);
    this.pattern = pattern;
  }

  /** How many of the kept lines match, as far as they were looked at. */
  get count(): number {
    return this.#back.length + this.#forth.length;
  }

  get complete(): boolean {
    return this.#range.complete;
  }

  /** The number of the matching line at a place, from 0. */
  at(place: number): number | undefined {
    const back = this.#back.length;
    return place < back ? this.#back[back - 1 - place] : this.#forth[place - back];
  }

  /** The place of a matching line, or of the first after it. */
  placeOf(number: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle) ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Looks at lines for about this long. */
  scan(budgetMs: number, now?: () => number): void {
    this.#forgetGone();
    const found = (into: number[]) => (line: KeptLine) => {
      this.pattern.lastIndex = 0;
      if (this.pattern.test(stripAnsi(line.text).slice(0, searchedChars))) into.push(line.number);
    };
    this.#range.scan(budgetMs, { forth: found(this.#forth), back: found(this.#back) }, now);
  }

  #forgetGone(): void {
    const gone = this.placeOf(this.#buffer.firstNumber);
    const ofBack = Math.min(gone, this.#back.length);
    this.#back.length -= ofBack;
    if (gone > ofBack) this.#forth = this.#forth.slice(gone - ofBack);
  }
}
