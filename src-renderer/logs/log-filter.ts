/** The lines of a log that pass a filter, in a buffer of their own, kept up in slices so that none holds up the window. */
import { stripAnsi } from './ansi.ts';
import { LogBuffer, type KeptLine } from './log-buffer.ts';
import { levelOf, logLevels, type LogLevel } from './log-level.ts';

export interface LineFilter {
  readonly stream: 'all' | 'stdout' | 'stderr';
  /** The least grave level shown; a line that says none is then not shown. */
  readonly level: 'all' | LogLevel;
}

export const noFilter: LineFilter = { stream: 'all', level: 'all' };

const linesPerLook = 256;

export function passes({ stream, text }: Pick<KeptLine, 'stream' | 'text'>, filter: LineFilter): boolean {
  if (filter.stream !== 'all' && stream !== filter.stream) return false;
  if (filter.level === 'all') return true;
  const level = levelOf(stripAnsi(text.slice(0, 2048)));
  return level !== undefined && logLevels.indexOf(level) >= logLevels.indexOf(filter.level);
}

export class FilteredLog {
  readonly buffer = new LogBuffer();
  readonly filter: LineFilter;
  readonly #source: LogBuffer;
  #next: number;

  constructor(source: LogBuffer, filter: LineFilter) {
    this.#source = source;
    this.filter = filter;
    this.#next = source.firstNumber;
  }

  /** Whether every kept line was looked at. */
  get complete(): boolean {
    return this.#next >= this.#source.firstNumber + this.#source.size;
  }

  /** Looks at lines for about this long. */
  scan(budgetMs: number, now: () => number = () => performance.now()): void {
    this.#next = Math.max(this.#next, this.#source.firstNumber);
    const end = now() + budgetMs;
    do {
      for (let looked = 0; looked < linesPerLook && !this.complete; looked += 1) {
        const line = this.#source.at(this.#next - this.#source.firstNumber);
        this.#next += 1;
        if (line && passes(line, this.filter)) this.buffer.keep(line);
      }
    } while (!this.complete && now() < end);
  }
}
