/** What a log view reads from: one container's log or several merged. */
import type { LogBuffer } from './log-buffer.ts';

export type FeedState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'live' }
  /** The link broke; it is being opened again where it stopped. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly message: string };

export interface LogSource {
  readonly buffer: LogBuffer;
  readonly state: FeedState;
  /** Grows with every change: what a view compares. */
  readonly version: number;
  /** Whether all that was ever written is here, as far as is known. */
  readonly reachesStart: boolean;
  readonly subscribe: (listener: () => void) => () => void;
  /** Opens it, or opens it again after its end, from where it stopped. */
  open(): void;
  close(): void;
}
