/**
 * The socket on the host that docker, compose and IDEs connect to: each connection becomes one stream to the guest's engine
 * socket. A VM that is off is started by the first client, unless the user stopped it on purpose.
 */
import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError, toErrorView } from '../contract/errors.ts';
import { checkSocketPath } from '../home.ts';

export interface LocalSocketOptions {
  /** A unix socket's path, or a named pipe's. The caller holds the home, so a file there is stale. */
  readonly path: string;
  /** Resolves when the VM is ready, starting it if need be; rejects with what the user is to be told. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
}

/** How long a refused client's request is waited for before the answer, and drained after it. */
const refusalMs = 2000;

export interface LocalSocket extends AsyncDisposable {
  /** Connections that are open now. */
  readonly clients: number;
}

export async function serveLocalSocket(options: LocalSocketOptions): Promise<LocalSocket> {
  checkSocketPath(options.path);
  const isPipe = options.path.startsWith('\\\\');
  if (!isPipe) await rm(options.path, { force: true });
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    void serve(socket, options);
  });
  server.listen(options.path);
  await Promise.race([
    once(server, 'listening'),
    once(server, 'error').then(([error]) => {
      throw new AppError('unavailable', `listen on ${options.path}: ${(error as Error).message}`, { cause: error });
    }),
  ]);
  if (!isPipe) await chmod(options.path, 0o600);
  return {
    get clients() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function serve(socket: net.Socket, options: LocalSocketOptions): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new AppError('cancelled', 'the client has gone')));
  let stream: Duplex;
  try {
    await options.ready(gone.signal);
    stream = await options.connect(gone.signal);
  } catch (error) {
    if (gone.signal.aborted) return;
    await refuse(socket, error);
    return;
  }
  if (gone.signal.aborted) {
    stream.destroy();
    return;
  }
  await join(socket, stream);
}

/** Both directions with back-pressure; each ends on its own, and a failure of one ends both. */
async function join(socket: net.Socket, stream: Duplex): Promise<void> {
  stream.on('error', () => undefined);
  const up = pipeline(socket, stream);
  const down = pipeline(stream, socket);
  // The client sees its connection end; why is known to the link, which reports it in the view.
  await Promise.allSettled([up, down]);
  socket.destroy();
  stream.destroy();
}

/** Docker's clients show `message` of an error answer: the truth with what to do, instead of a closed connection. */
async function refuse(socket: net.Socket, error: unknown): Promise<void> {
  const view = toErrorView(error);
  const message = view.hint === undefined ? view.message : `${view.message}. ${view.hint}`;
  const body = JSON.stringify({ message });
  const request = await firstBytes(socket);
  const head = [
    'HTTP/1.1 503 Service Unavailable',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    '',
  ].join('\r\n');
  socket.end(request.startsWith('HEAD ') ? head : head + body);
  // Closing with unread bytes would reset the connection before the client has read the answer.
  socket.resume();
  setTimeout(() => socket.destroy(), refusalMs).unref();
}

async function firstBytes(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(''), refusalMs);
    const done = (text: string): void => {
      clearTimeout(timer);
      resolve(text);
    };
    socket.once('data', (chunk: Buffer) => done(chunk.toString('latin1')));
    socket.once('end', () => done(''));
    socket.once('close', () => done(''));
    socket.resume();
  });
}
