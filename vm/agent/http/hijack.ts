/**
 * Taking over a connection for raw streams (attach, exec), as Docker's clients ask for it: with `Upgrade: tcp`, answered 101,
 * or without, answered 200 and then raw all the same.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { EngineError } from '../../contract/errors.ts';

/** Requests with an `Upgrade` header. Node leaves their body in the socket. */
const upgraded = new WeakMap<IncomingMessage, Socket>();

export function markUpgraded(request: IncomingMessage, socket: Socket): void {
  upgraded.set(request, socket);
}

/** Bodies of upgraded requests that are answered as any other. */
const bodies = new WeakMap<IncomingMessage, Buffer>();

/**
 * For an upgraded request whose route does not take the connection over: takes its body off the connection, then reads on, so that
 * the client's end is seen. Nothing for other requests.
 */
export async function readAhead(request: IncomingMessage, maxBytes: number): Promise<void> {
  const body = await readUpgradedBody(request, maxBytes);
  const socket = upgraded.get(request);
  if (body === undefined || socket === undefined) return;
  bodies.set(request, body);
  socket.on('end', () => socket.destroy());
  socket.resume();
}

/** The body of an upgraded request, as far as its `Content-Length` says; undefined for others. */
export async function readUpgradedBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const socket = upgraded.get(request);
  if (socket === undefined) return undefined;
  const ahead = bodies.get(request);
  if (ahead !== undefined) return ahead;
  const length = Number(request.headers['content-length'] ?? 0);
  if (request.headers['transfer-encoding'] !== undefined || !Number.isInteger(length)) {
    throw new EngineError('invalid-parameter', 'a request to upgrade needs a Content-Length');
  }
  if (length > maxBytes) throw new EngineError('too-large', `the request body is over ${maxBytes} bytes`);
  const chunks: Buffer[] = [];
  let missing = length;
  while (missing > 0) {
    const chunk = (socket.read(Math.min(missing, socket.readableLength)) ?? (await nextChunk(socket))) as Buffer;
    const wanted = chunk.subarray(0, missing);
    if (chunk.length > missing) socket.unshift(chunk.subarray(missing));
    chunks.push(wanted);
    missing -= wanted.length;
  }
  return Buffer.concat(chunks);
}

function nextChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const clean = (): void => {
      socket.off('readable', read);
      socket.off('close', close);
      socket.off('end', close);
    };
    const read = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      clean();
      resolve(chunk);
    };
    const close = (): void => {
      clean();
      reject(new EngineError('invalid-parameter', 'the request body ended early'));
    };
    socket.on('readable', read);
    socket.on('close', close);
    socket.on('end', close);
    read();
  });
}

export type HijackContent = 'raw-stream' | 'multiplexed-stream';

/**
 * Answers and hands over the connection, paused: what comes is kept until the caller resumes it. The body must have been
 * read; nothing else may be written to `response` afterwards.
 */
export async function hijack(
  request: IncomingMessage,
  response: ServerResponse,
  content: HijackContent,
): Promise<Socket> {
  if (bodies.has(request)) throw new Error('a route that takes the connection over must say so (takesOver)');
  const isUpgrade = upgraded.has(request);
  const socket = upgraded.get(request) ?? request.socket;
  const headers = Object.entries(response.getHeaders()).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  response.detachSocket(socket);
  if (!isUpgrade) await takeFromParser(socket);
  socket.pause();
  socket.setTimeout(0);
  socket.on('error', () => socket.destroy());
  const status = isUpgrade
    ? 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n'
    : 'HTTP/1.1 200 OK\r\nConnection: close\r\n';
  socket.write(`${status}Content-Type: application/vnd.docker.${content}\r\n${headers.join('')}\r\n`);
  return socket;
}

/** The connection of an upgraded request, for who answers it himself; nothing may be written to `response` afterwards. */
export function takeUpgraded(request: IncomingMessage, response: ServerResponse): Socket {
  const socket = upgraded.get(request);
  if (socket === undefined) throw new EngineError('invalid-parameter', 'the connection was not upgraded');
  response.detachSocket(socket);
  socket.setTimeout(0);
  return socket;
}

/** Node's parser reads the descriptor itself until somebody listens, and resumes the socket once more in the same turn. */
async function takeFromParser(socket: Socket): Promise<void> {
  socket.on('readable', () => undefined);
  for (const event of ['data', 'end', 'drain', 'timeout', 'close', 'error', 'readable'])
    socket.removeAllListeners(event);
  await new Promise((resolve) => setImmediate(resolve));
}
