/** The lines of a log that pass a filter, in a buffer of their own, kept up in slices. */
import { stripAnsi } from './ansi.ts';
import { LogBuffer, type KeptLine } from './log-buffer.ts';
import { levelOf, logLevels, type LogLevel } from './log-level.ts';
import { ScannedRange } from './scanned-range.ts';

export interface LineFilter {
  readonly stream: 'all' | 'stdout' | 'stderr';
  /** The least grave level shown; a line that says none is then not shown. */
  readonly level: 'all' | LogLevel;
}

export const noFilter: LineFilter = { stream: 'all', level: 'all' };

export function passes({ stream, text }: Pick<KeptLine, 'stream' | 'text'>, filter: LineFilter): boolean {
  if (filter.stream !== 'all' && stream !== filter.stream) return false;
  if (filter.level === 'all') return true;
  const level = levelOf(stripAnsi(text.slice(0, 2048)));
  return level !== undefined && logLevels.indexOf(level) >= logLevels.indexOf(filter.level);
}

export class FilteredLog {
  /** Its lines have numbers of their own. */
  readonly buffer = new LogBuffer();
  readonly #filter: LineFilter;
  readonly #range: ScannedRange;

  constructor(source: LogBuffer, filter: LineFilter) {
    this.#range = new ScannedRange(source);
    this.#filter = filter;
  }

  get complete(): boolean {
    return this.#range.complete;
  }

  /** Looks at lines for about this long. */
  scan(budgetMs: number, now?: () => number): void {
    const older: KeptLine[] = [];
    const forth = (line: KeptLine): void => {
      if (passes(line, this.#filter)) this.buffer.keep(line);
    };
    const back = (line: KeptLine): void => {
      if (passes(line, this.#filter)) older.push(line);
    };
    this.#range.scan(budgetMs, { forth, back }, now);
    if (older.length > 0) this.buffer.keepBefore(older.reverse());
  }
}
