/** Taking over a connection for a WebSocket (RFC 6455), as attach has it for clients in a browser: binary messages, not multiplexed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { EngineError } from '../../contract/errors.ts';
import { FrameReader } from '../use-cases/frames.ts';
import { takeUpgraded } from './hijack.ts';

/** Of one message from the client: what somebody types or pastes. */
const maxMessageBytes = 1024 * 1024;

/** @throws EngineError `invalid-parameter` for a request that is none for a WebSocket. */
export async function acceptWebSocket(request: IncomingMessage, response: ServerResponse): Promise<Duplex> {
  const key = request.headers['sec-websocket-key'];
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    throw new EngineError('invalid-parameter', 'this path is for WebSockets: the request has no Upgrade: websocket');
  }
  // Boot does not wait for it.
  const { WebSocketServer, createWebSocketStream } = await import('ws');
  const server = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: maxMessageBytes });
  const socket = takeUpgraded(request, response);
  return new Promise((resolve) => {
    server.handleUpgrade(request, socket, Buffer.alloc(0), (webSocket) => {
      resolve(createWebSocketStream(webSocket, { allowHalfOpen: false }));
    });
  });
}

/** The client, with the frames' headers taken off what is written to it. */
export class Unframed extends Duplex {
  readonly #client: Duplex;
  readonly #frames = new FrameReader();

  constructor(client: Duplex) {
    super({ allowHalfOpen: false });
    this.#client = client;
    client.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) client.pause();
    });
    client.on('end', () => this.push(null));
    client.on('error', (error: Error) => this.destroy(error));
    client.on('close', () => this.destroy());
    client.pause();
  }

  override _read(): void {
    this.#client.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const bytes = Buffer.concat(this.#frames.read(chunk).map((piece) => piece.bytes));
    if (bytes.length === 0 || this.#client.write(bytes)) callback();
    else this.#client.once('drain', callback);
  }

  override _final(callback: () => void): void {
    this.#client.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#client.destroy();
    callback(error);
  }
}
