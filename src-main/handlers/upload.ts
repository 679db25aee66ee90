/** A file that a window sends in pieces, as the bytes of one request. */
import { AppError } from '../contract/errors.ts';
import { piecesAhead, type UploadItem, type UploadMessage } from '../contract/transfers.ts';
import type { StreamContext } from './handlers.ts';

/**
 * Iterate it once for the bytes; {@link credits} meanwhile tells the window how many pieces were taken. A window that goes
 * before the end, or sends more than it was given leave to, fails the iteration.
 */
export class Upload implements AsyncIterable<Buffer> {
  readonly #pieces: Buffer[] = [];
  readonly #bell = new EventTarget();
  #taken = 0;
  #ended = false;
  #closed = false;
  #failure: AppError | undefined;

  constructor(what: string, { signal, onMessage }: StreamContext<UploadMessage>) {
    const fail = (reason: AppError) => {
      if (!this.#ended) this.#failure ??= reason;
      this.#ring();
    };
    signal.addEventListener('abort', () => {
      fail(new AppError('cancelled', `${what}: the window that sent it was closed`, { hint: 'Send it once more.' }));
    });
    onMessage((message) => {
      if ('end' in message) this.#ended = true;
      else if (this.#pieces.length >= piecesAhead) fail(new AppError('invalid-input', `${what}: too much at once`));
      else this.#pieces.push(Buffer.from(message.data, 'base64'));
      this.#ring();
    });
  }

  /** Why the sending failed, when it did. */
  get failure(): AppError | undefined {
    return this.#failure;
  }

  /** Nothing more is wanted, whether or not all of it came. */
  close(): void {
    this.#closed = true;
    this.#ring();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const piece = this.#pieces.shift();
      if (piece) {
        this.#taken += 1;
        this.#ring();
        yield piece;
      } else if (this.#ended || this.#closed) return;
      else await this.#rung();
    }
  }

  /** Ends when everything was taken, or nothing more is wanted. */
  async *credits(): AsyncGenerator<UploadItem, void, undefined> {
    let told = 0;
    for (;;) {
      if (this.#taken > told) {
        const taken = this.#taken - told;
        told = this.#taken;
        yield { taken };
      } else if (this.#closed || this.#failure || (this.#ended && this.#pieces.length === 0)) return;
      else await this.#rung();
    }
  }

  #ring(): void {
    this.#bell.dispatchEvent(new Event('change'));
  }

  #rung(): Promise<unknown> {
    return new Promise((resolve) => this.#bell.addEventListener('change', resolve, { once: true }));
  }
}
