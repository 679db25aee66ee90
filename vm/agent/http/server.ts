/**
 * The HTTP server on the engine's socket. It listens before the engine is ready: the routes given at the start answer at
 * once, all others 503 with the boot stage until `open` hands over the rest.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer as createSocketServer, Socket } from 'node:net';
import type { Server as SocketServer } from 'node:net';
import path from 'node:path';
import { EngineError } from '../../contract/errors.ts';
import { log } from '../log.ts';
import { apiVersion, splitVersion } from './version.ts';
import { maxBodyBytes } from './body.ts';
import { markUpgraded, readAhead } from './hijack.ts';
import { sendError } from './reply.ts';
import type { Route } from './route.ts';
import { Router } from './router.ts';

export interface EngineServer {
  /** All routes are there from now on. */
  open(routes: readonly Route[]): void;
  /** What is being answered now. */
  underWay(): readonly RequestUnderWay[];
  /** Stops listening and cuts all connections. */
  close(): Promise<void>;
}

export interface RequestUnderWay {
  readonly method: string;
  /** Without the version prefix. */
  readonly path: string;
}

const maxHeaderBytes = 64 * 1024;
const headersTimeoutMs = 60_000;

/**
 * Listens on a unix socket (replacing a stale one), mode 0660, and on one for containers that are given it
 * (`-v /var/run/docker.sock:…`): their root is nobody to the guest, so that one has mode 0666 in a folder of mode 0700.
 * @param describeBoot What a request that comes too early is told.
 */
export async function startEngineServer(options: {
  readonly socketPath: string;
  readonly containerSocketPath?: string;
  readonly serverHeader: string;
  readonly early: readonly Route[];
  readonly describeBoot: () => string;
}): Promise<EngineServer> {
  let router = new Router(options.early);
  let isOpen = false;
  const underWay = new Set<RequestUnderWay>();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('Api-Version', apiVersion);
    response.setHeader('Docker-Experimental', 'false');
    response.setHeader('Ostype', 'linux');
    response.setHeader('Server', options.serverHeader);
    const aborter = new AbortController();
    response.on('close', () => aborter.abort());
    try {
      const url = new URL(request.url ?? '/', 'http://engine');
      const { version, path: route } = splitVersion(url.pathname);
      const entry: RequestUnderWay = { method: request.method ?? 'GET', path: route };
      underWay.add(entry);
      response.on('close', () => underWay.delete(entry));
      const match = router.match(request.method ?? 'GET', route);
      if (typeof match === 'string') throw noRoute(match, isOpen, options.describeBoot);
      if (match.route.takesOver !== true) await readAhead(request, maxBodyBytes);
      await match.route.handle({
        request,
        response,
        params: match.params,
        query: url.searchParams,
        signal: aborter.signal,
        apiVersion: version,
      });
      if (match.route.takesOver === true) onClose(request.socket, () => underWay.delete(entry));
    } catch (error) {
      sendError(response, error);
    }
  };

  const server = createServer(
    { maxHeaderSize: maxHeaderBytes, headersTimeout: headersTimeoutMs, requestTimeout: 0, keepAliveTimeout: 60_000 },
    (request, response) => void handle(request, response),
  );
  server.on('upgrade', (request: IncomingMessage, stream, head: Buffer) => {
    if (!(stream instanceof Socket)) return;
    const socket = stream;
    socket.on('error', () => socket.destroy());
    if (head.length > 0) socket.unshift(head);
    markUpgraded(request, socket);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on('finish', () => {
      socket.end();
      // Read on, or the client's own end is never seen and the connection stays.
      socket.resume();
    });
    void handle(request, response);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  await listen(server, options.socketPath, 0o660);
  const forContainers = createSocketServer({ allowHalfOpen: true }, (socket) => server.emit('connection', socket));
  if (options.containerSocketPath !== undefined) {
    mkdirSync(path.dirname(options.containerSocketPath), { recursive: true, mode: 0o700 });
    await listen(forContainers, options.containerSocketPath, 0o666);
  }
  return {
    open(routes) {
      router = new Router([...options.early, ...routes]);
      isOpen = true;
    },
    underWay: () => [...underWay],
    close: () =>
      new Promise((resolve) => {
        forContainers.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Of a connection that was taken over: its response never closes, and what listened to it before was taken off. */
function onClose(socket: Socket, listener: () => void): void {
  if (socket.destroyed) listener();
  else socket.once('close', listener);
}

function noRoute(reason: 'not-found' | 'wrong-method', isOpen: boolean, describeBoot: () => string): EngineError {
  if (!isOpen) return new EngineError('unavailable', describeBoot());
  return new EngineError('not-found', reason === 'not-found' ? 'page not found' : 'no such method for this page');
}

async function listen(server: SocketServer, socketPath: string, mode: number): Promise<void> {
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(0o777 & ~mode);
    server.listen(socketPath, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error('the engine server', error));
      resolve();
    });
    process.umask(umask);
  });
  chmodSync(socketPath, mode);
}
