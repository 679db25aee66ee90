/** The control socket `host.sock`: how other processes of the same user reach the one that owns a home. */
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { AppError } from '../contract/errors.ts';
import type { ClientTransport } from '../contract/wire-client.ts';
import type { Handlers } from './handlers.ts';
import { clientSocketTransport, serverSocketTransport } from './socket-transport.ts';
import { serveWire } from './wire-server.ts';

const maxConnections = 64;

/**
 * Serves until disposed. The caller holds the home's lock, so a socket file that is there already is a dead owner's.
 * The file is made closed to other users before anyone can connect.
 */
export async function serveControlSocket(file: string, handlers: Handlers): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  // Half-open, so that a client's end is answered by an orderly end of ours.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serveWire(handlers, serverSocketTransport(socket));
  });
  server.maxConnections = maxConnections;
  const isPipe = process.platform === 'win32';
  if (!isPipe) await rm(file, { force: true });
  await listen(server, file, isPipe);
  if (!isPipe) await chmod(file, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, file: string, isPipe: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new AppError('unavailable', `serve ${file}: ${error.message}`, { cause: error }));
    });
    // The mode of a new socket is what the mask leaves of it. Nothing else runs between these lines.
    const mask = isPipe ? undefined : process.umask(0o177);
    server.listen(file, () => resolve());
    if (mask !== undefined) process.umask(mask);
  });
}

/** Rejects with `unavailable` when no process serves this home now. */
export function connectControlSocket(file: string, signal?: AbortSignal): Promise<ClientTransport> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: file, ...(signal ? { signal } : {}) });
    const fail = (error: Error) => {
      reject(new AppError('unavailable', `connect to ${file}: ${error.message}`, { cause: error }));
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      resolve(clientSocketTransport(socket));
    });
  });
}
