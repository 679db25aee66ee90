/**
 * An SSH channel as a Duplex that tells a clean end from a cut one.
 *
 * ssh2 ends a channel's readable side in the same way when the peer closed it and when the connection died, so a
 * truncated answer would pass for a whole one. Here a cut destroys the stream with `link-lost`. Half-close is kept:
 * `end()` sends EOF and the other direction goes on.
 */
import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { AppError } from '../contract/errors.ts';

const bufferBytes = 64 * 1024;

/** What ssh2 keeps about a direction; not in its types. `eof` or `closed` once the peer has said it sends no more. */
interface ChannelSides {
  readonly incoming?: { readonly state?: string };
}

export class ChannelStream extends Duplex {
  readonly #channel: ClientChannel;
  #peerClosed = false;

  constructor(channel: ClientChannel) {
    super({ allowHalfOpen: true, highWaterMark: bufferBytes });
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => this.push(null));
    channel.on('close', () => this.#onPeerClose());
    channel.on('error', (error: Error) => this.destroy(error));
  }

  /** The connection under it is gone: unless the peer had finished already, the stream fails. */
  lose(reason: string): void {
    const state = (this.#channel as ClientChannel & ChannelSides).incoming?.state;
    if (state === 'eof' || state === 'closed' || state === 'closing') {
      this.#peerClosed = true;
      return;
    }
    this.destroy(
      new AppError('link-lost', `stream to the guest: ${reason}`, { hint: 'Wherry reconnects by itself; try again.' }),
    );
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#peerClosed) {
      callback(new AppError('link-lost', 'write to the guest: it has closed this stream'));
      return;
    }
    // ssh2 never calls back for a channel the peer has closed; #onPeerClose then destroys this stream.
    this.#channel.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#channel.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#channel.destroy();
    // Unread data would keep ssh2 from finishing the channel.
    this.#channel.resume();
    callback(error);
  }

  #onPeerClose(): void {
    this.#peerClosed = true;
    if (!this.readableEnded) this.push(null);
    const pending = this.writableLength > 0 && !this.writableFinished;
    if (pending) this.destroy(new AppError('link-lost', 'write to the guest: it has closed this stream'));
    else if (!this.writableEnded) this.end();
  }
}
