/** What a log view reads from: one container's log or several merged. */
import { LogClient } from './log-client.ts';

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

/** What every source has: its lines in a worker, and who watches them. When the worker is lost, so are the lines. */
export abstract class LogSource {
  readonly log = new LogClient({
    onView: () => this.tell(),
    onStuck: () => {
      this.forget();
      this.open();
    },
    onFailed: (message) => {
      this.forget();
      this.fail(message);
    },
  });
  state: FeedState = { kind: 'opening' };
  /** Grows with every change: what a view compares. */
  version = 0;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  abstract get older(): OlderLines;
  /** Opens it, or opens it again after its end, from where it stopped. */
  abstract open(): void;
  /** Absent where older lines cannot be had. */
  loadOlder?(): void;
  abstract close(): void;
  /** Closes it; it is to be read anew. */
  protected abstract forget(): void;
  protected abstract fail(message: string): void;

  protected tell(): void {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}
