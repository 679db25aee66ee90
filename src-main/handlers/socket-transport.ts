/** Wire frames over a byte stream between two processes: one JSON object a line (the control socket `host.sock`). */
import type { Duplex } from 'node:stream';
import type { ClientFrame, ServerFrame } from '../contract/wire.ts';
import type { ClientTransport } from '../contract/wire-client.ts';
import type { ServerTransport } from './wire-server.ts';

/** The longest line taken from a client; answers (an inspect, a log batch) may be longer. */
const maxRequestBytes = 4 * 1024 * 1024;
const maxAnswerBytes = 64 * 1024 * 1024;

/** The client's end over a connected stream. */
export function clientSocketTransport(socket: Duplex): ClientTransport {
  return lineTransport<ClientFrame, ServerFrame>(socket, maxAnswerBytes);
}

/** The host's end over an accepted stream. */
export function serverSocketTransport(socket: Duplex): ServerTransport {
  return lineTransport<ServerFrame, unknown>(socket, maxRequestBytes);
}

interface LineTransport<Out, In> {
  send(frame: Out): void;
  onFrame(listener: (frame: In) => void): void;
  onClose(listener: (reason?: Error) => void): void;
  close(): void;
}

function lineTransport<Out, In>(socket: Duplex, maxLineBytes: number): LineTransport<Out, In> {
  let failure: Error | undefined;
  socket.on('error', (error) => (failure ??= error));
  return {
    send: (frame) => {
      if (socket.writable) socket.write(`${JSON.stringify(frame)}\n`);
    },
    onFrame: (listener) => {
      const lines = new LineSplitter(maxLineBytes);
      socket.on('data', (chunk: Buffer) => {
        try {
          for (const line of lines.push(chunk)) {
            // A listener may close the connection: nothing is delivered after that.
            if (!socket.destroyed) listener(JSON.parse(line) as In);
          }
        } catch (error) {
          socket.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      });
      socket.on('end', () => socket.end());
    },
    onClose: (listener) => {
      if (socket.destroyed) queueMicrotask(() => listener(failure));
      else socket.once('close', () => listener(failure));
    },
    close: () => socket.destroy(),
  };
}

/** Cuts a byte stream into its lines, however it is chunked; a line longer than the limit throws. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines completed by this chunk, without their ends. */
  *push(chunk: Buffer): Generator<string, void, undefined> {
    let from = 0;
    for (let to = chunk.indexOf(10, from); to !== -1; to = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, to));
      const line = Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#bytes = 0;
      from = to + 1;
      yield line;
    }
    this.#keep(chunk.subarray(from));
  }

  /** What came after the last line end. */
  rest(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > this.#maxLineBytes) throw new Error(`a line is longer than ${this.#maxLineBytes} bytes`);
    this.#parts.push(part);
  }
}
