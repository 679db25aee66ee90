/** Finding text in a log while it grows: scanned in slices so that no slice holds up the window. */
import { stripAnsi } from './ansi.ts';
import type { LogBuffer } from './log-buffer.ts';

export interface Query {
  readonly text: string;
  readonly regex: boolean;
}

/** Beyond this a line is not searched: a hostile pattern on a hostile line would take for ever. */
export const searchedChars = 16_384;

const linesPerLook = 256;

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
  #numbers: number[] = [];
  #next: number;

  constructor(buffer: LogBuffer, pattern: RegExp) {
    this.#buffer = buffer;
    this.pattern = pattern;
    this.#next = buffer.firstNumber;
  }

  /** Numbers of the matching lines still kept, ascending. */
  get numbers(): readonly number[] {
    return this.#numbers;
  }

  /** Whether every kept line was looked at. */
  get complete(): boolean {
    return this.#next >= this.#buffer.firstNumber + this.#buffer.size;
  }

  /** Looks at lines for about this long. */
  scan(budgetMs: number, now: () => number = () => performance.now()): void {
    const first = this.#buffer.firstNumber;
    const gone = this.#numbers.findIndex((number) => number >= first);
    if (gone > 0) this.#numbers = this.#numbers.slice(gone);
    else if (gone === -1 && this.#numbers.length > 0) this.#numbers = [];
    this.#next = Math.max(this.#next, first);
    const end = now() + budgetMs;
    do {
      for (let looked = 0; looked < linesPerLook && !this.complete; looked += 1) this.#look();
    } while (!this.complete && now() < end);
  }

  #look(): void {
    const line = this.#buffer.at(this.#next - this.#buffer.firstNumber);
    this.#next += 1;
    if (!line) return;
    this.pattern.lastIndex = 0;
    if (this.pattern.test(stripAnsi(line.text).slice(0, searchedChars))) this.#numbers.push(line.number);
  }
}
