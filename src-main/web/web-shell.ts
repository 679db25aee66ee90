/** The web shell: the window in a browser of this machine, over loopback HTTP and one WebSocket. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { AppError } from '../contract/errors.ts';
import { wrongSecretCode } from '../contract/wire-transports.ts';
import { shellCalls, type ShellFacts } from '../handlers/app.ts';
import { relayWindow } from '../handlers/relay.ts';
import type { HostAccess } from '../host-access.ts';
import { hasLoopbackHost, hasOwnOrigin, isSecret, ownSockets, securityHeaders } from './security.ts';
import { sendFile } from './static-files.ts';
import { serverWebSocketTransport } from './websocket-transport.ts';

export interface WebShellOptions {
  readonly access: Pick<HostAccess, 'connect'>;
  readonly shell: ShellFacts;
  /** Folder of the built window (`dist/renderer`). */
  readonly folder: string;
  /** 0: any free port. */
  readonly port: number;
  /** Time for a browser to show the secret and to answer a ping. For tests. */
  readonly timeoutsMs?: { readonly secret: number; readonly ping: number };
}

export interface WebShell extends AsyncDisposable {
  /** With the secret in the fragment, which browsers never send to a server. */
  readonly url: string;
  readonly port: number;
}

const maxPayloadBytes = 4 * 1024 * 1024;
const maxWindows = 64;

/** Serves until disposed. Rejects with `port-taken`, or `image-missing` when the window was not built. */
export async function startWebShell(options: WebShellOptions): Promise<WebShell> {
  if (!existsSync(path.join(options.folder, 'index.html'))) {
    throw new AppError('image-missing', `serve the window: ${options.folder} holds no built window`, {
      hint: 'Build it: npm run build -- renderer',
    });
  }
  const secret = randomBytes(32).toString('base64url');
  const server = http.createServer({ requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16 * 1024 });
  const port = await listen(server, options.port);
  const headers = securityHeaders(ownSockets(port));
  server.on('request', (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (!hasLoopbackHost(request)) {
      response.writeHead(421, { 'Content-Type': 'text/plain; charset=utf-8' });
      response.end('Open Wherry by the address it printed.\n');
      return;
    }
    sendFile(options.folder, request, response).catch(() => response.destroy());
  });
  const windows = serveWindows(server, secret, options);
  return {
    port,
    url: `http://127.0.0.1:${port}/#${secret}`,
    async [Symbol.asyncDispose]() {
      windows.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: http.Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint = 'Choose another with --port, or --port 0 for any free one.';
      const code = error.code === 'EADDRINUSE' ? 'port-taken' : 'unavailable';
      reject(new AppError(code, `serve the window on port ${port}: ${error.message}`, { hint, cause: error }));
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function serveWindows(server: http.Server, secret: string, options: WebShellOptions): { close(): void } {
  const timeoutsMs = options.timeoutsMs ?? { secret: 10_000, ping: 20_000 };
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxPayloadBytes, perMessageDeflate: false });
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    const refusal = refuse(request, sockets.clients.size);
    if (refusal) stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else sockets.handleUpgrade(request, stream, head, (socket) => welcome(socket, secret, options, timeoutsMs));
  });
  return {
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function refuse(request: IncomingMessage, windows: number): string | undefined {
  if (request.url !== '/wire') return '404 Not Found';
  if (!hasLoopbackHost(request)) return '421 Misdirected Request';
  if (!hasOwnOrigin(request)) return '403 Forbidden';
  if (windows >= maxWindows) return '503 Service Unavailable';
  return undefined;
}

/** The first message must be the secret; only then is anything of the host within reach. */
function welcome(
  socket: WebSocket,
  secret: string,
  options: WebShellOptions,
  timeoutsMs: { readonly secret: number; readonly ping: number },
): void {
  // A broken frame ends the connection; ws closes it after telling this.
  socket.on('error', () => socket.terminate());
  const refuseSecret = () => socket.close(wrongSecretCode, 'wrong secret');
  const timer = setTimeout(refuseSecret, timeoutsMs.secret);
  socket.once('close', () => clearTimeout(timer));
  socket.once('message', (data, isBinary) => {
    clearTimeout(timer);
    if (isBinary || !isSecret(secretOf(data), secret)) {
      refuseSecret();
      return;
    }
    keepAlive(socket, timeoutsMs.ping);
    relayWindow(
      serverWebSocketTransport(socket),
      (signal) => options.access.connect(signal),
      shellCalls(options.shell),
    );
  });
}

function secretOf(data: unknown): unknown {
  try {
    const message: unknown = JSON.parse(String(data));
    return typeof message === 'object' && message !== null && 'secret' in message ? message.secret : undefined;
  } catch {
    return undefined;
  }
}

/** A browser that vanished without a word (a laptop that slept) must not hold its streams open. */
function keepAlive(socket: WebSocket, everyMs: number): void {
  let answered = true;
  socket.on('pong', () => (answered = true));
  const timer = setInterval(() => {
    if (!answered) {
      socket.terminate();
      return;
    }
    answered = false;
    socket.ping();
  }, everyMs);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
