/** What a log view reads from: one container's log or several merged. */
import type { LogClient } from './log-client.ts';

export type FeedState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'live' }
  /** The link broke; it is being opened again where it stopped. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly message: string };

/** What there is before the oldest line here. */
export type OlderLines =
  | { readonly kind: 'start' }
  | { readonly kind: 'more' }
  | { readonly kind: 'loading'; readonly count: number }
  /** More, for which there is no room. */
  | { readonly kind: 'full' }
  /** Of several logs each begins with so many lines; the older ones are on each container's own page. */
  | { readonly kind: 'elsewhere'; readonly linesOfEach: number }
  | { readonly kind: 'failed'; readonly message: string };

export interface LogSource {
  /** The lines. */
  readonly log: LogClient;
  readonly state: FeedState;
  /** Grows with every change: what a view compares. */
  readonly version: number;
  readonly older: OlderLines;
  readonly subscribe: (listener: () => void) => () => void;
  /** Opens it, or opens it again after its end, from where it stopped. */
  open(): void;
  /** Absent where older lines cannot be had. */
  loadOlder?(): void;
  close(): void;
}
