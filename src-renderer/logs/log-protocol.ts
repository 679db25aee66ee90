/** What the page and the worker that keeps a log's lines say to each other. */
import type { AnsiStyle } from './ansi.ts';
import type { IncomingLine } from './log-buffer.ts';
import type { LineFilter } from './log-filter.ts';
import type { Query } from './log-search.ts';

/** The rows the page wants at hand: from one number up to another, or the newest ones, whichever these are. */
export type Look = { readonly from: number; readonly to: number } | 'end';

export type LogRequest =
  /** Answered by `taken` once they are in. */
  | { readonly kind: 'append'; readonly lines: readonly IncomingLine[] }
  /** Lines from before the oldest, in parts, laid aside until they are all there. Answered by `taken`. */
  | { readonly kind: 'older'; readonly lines: readonly IncomingLine[]; readonly begins: boolean }
  /** Those laid aside are put before the line `before`, which must still be the oldest. Answered by `taken`. */
  | { readonly kind: 'prepend'; readonly before: number }
  | { readonly kind: 'look'; readonly look: Look }
  /** Whether the end stays in sight; if not, what is being read is kept for longer. */
  | { readonly kind: 'follow'; readonly following: boolean }
  /** Lay out what comes before or after the present stretch, or the oldest lines. */
  | { readonly kind: 'move'; readonly to: 'before' | 'after' | 'start' }
  | { readonly kind: 'filter'; readonly filter: LineFilter }
  | { readonly kind: 'search'; readonly query: Query }
  /** To the next match or the one before. */
  | { readonly kind: 'step'; readonly by: 1 | -1 }
  | { readonly kind: 'pretty'; readonly pretty: boolean }
  /** Answered by `text`: one line without its cut. */
  | { readonly kind: 'whole'; readonly number: number }
  /** Answered by `text`: the lines that pass the filter; with `names`, each after the name of its origin. */
  | { readonly kind: 'text'; readonly names?: readonly string[]; readonly times: boolean }
  /** Answered by `pong`. */
  | { readonly kind: 'ping' };

export type LogAnswer =
  | { readonly kind: 'view'; readonly view: LogView }
  /** How many lines are in, and how many found no room. */
  | { readonly kind: 'taken'; readonly count: number; readonly left: number }
  | { readonly kind: 'text'; readonly text: string; readonly lines: number }
  | { readonly kind: 'pong' };

/** A line as it is drawn. */
export interface ShownLine {
  readonly number: number;
  readonly stream: 'stdout' | 'stderr';
  readonly time: string;
  readonly origin: number;
  readonly start: AnsiStyle;
  /** Possibly cut: laying out 100 kB of text for a row nobody reads would stall scrolling. */
  readonly text: string;
  /** How many characters were cut off. */
  readonly cutChars: number;
  /** Spread over lines, when it is JSON and that is wanted. */
  readonly json?: string;
  /** Start and end of each match in the text without escape sequences, or in `json`. */
  readonly hits: readonly (readonly [number, number])[];
}

export interface LogView {
  /** The stretch of passing lines that is laid out: bounded, since a page can only be so high. Numbers are the shown lines' own. */
  readonly first: number;
  readonly size: number;
  /** How many more passing lines are kept before and after the stretch. */
  readonly before: number;
  readonly after: number;
  readonly rows: readonly ShownLine[];
  /** All lines kept, passing or not; the number of the oldest and its time. */
  readonly kept: number;
  readonly firstKept: number;
  readonly firstTime: string;
  readonly passing: number;
  /** Whether the filter has not looked at every line yet. */
  readonly filtering: boolean;
  readonly search: SearchView;
}

export interface SearchView {
  /** Matching lines among the passing ones. */
  readonly count: number;
  readonly scanning: boolean;
  /** Why the expression is none. */
  readonly problem?: string;
  /** The line stood on, and its place among the matches from 1; 0 for none. */
  readonly current?: number;
  readonly place: number;
}

export const emptyView: LogView = {
  first: 0,
  size: 0,
  before: 0,
  after: 0,
  rows: [],
  kept: 0,
  firstKept: 0,
  firstTime: '',
  passing: 0,
  filtering: false,
  search: { count: 0, scanning: false, place: 0 },
};
