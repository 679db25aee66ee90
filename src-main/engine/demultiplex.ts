/**
 * Docker's stream format of logs and attach without a terminal: frames of an 8-byte head (stream, three zero bytes,
 * length big-endian) and the payload. Pieces are passed on as they come; no whole frame is ever kept.
 */
import { AppError } from '../contract/errors.ts';

export interface StreamPiece {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

const headBytes = 8;

export class Demultiplexer {
  #head = Buffer.alloc(0);
  #stream: StreamPiece['stream'] = 'stdout';
  #left = 0;

  /** The pieces of this chunk, however the stream was cut. Throws on a head that is none. */
  *push(chunk: Buffer): Generator<StreamPiece, void, undefined> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left > 0) {
        const data = rest.subarray(0, this.#left);
        this.#left -= data.length;
        rest = rest.subarray(data.length);
        yield { stream: this.#stream, data };
        continue;
      }
      const missing = headBytes - this.#head.length;
      this.#head = Buffer.concat([this.#head, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#head.length === headBytes) this.#open();
    }
  }

  #open(): void {
    const kind = this.#head[0];
    if (kind === undefined || kind > 2 || this.#head.readUIntBE(1, 3) !== 0) {
      throw new AppError('engine', 'read a container’s output: the engine sent a malformed frame');
    }
    this.#stream = kind === 2 ? 'stderr' : 'stdout';
    this.#left = this.#head.readUInt32BE(4);
    this.#head = Buffer.alloc(0);
  }
}
