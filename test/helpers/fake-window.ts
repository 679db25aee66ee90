/** Serves the built window with a {@link FakeHost} behind it, on a free loopback port. */
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { serveWire, type ServerTransport } from '../../src-main/handlers/wire-server.ts';
import { wrongSecretCode } from '../../src-main/contract/wire-transports.ts';
import type { ServerFrame } from '../../src-main/contract/wire.ts';
import { FakeHost } from './fake-host.ts';

const folder = path.join(import.meta.dirname, '../../dist/renderer');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The same policy as the web shell's: no inline script; inline style only because xterm makes style elements. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; connect-src 'self'";

export interface FakeWindow {
  readonly host: FakeHost;
  /** With the secret. */
  readonly url: string;
  /** Cuts every connection; new ones are refused until {@link mendLink}. */
  cutLink(): void;
  mendLink(): void;
  close(): Promise<void>;
}

export async function serveFakeWindow(host: FakeHost = new FakeHost(), port = 0): Promise<FakeWindow> {
  const secret = 'fake-secret';
  let cut = false;
  const server = createServer((request, response) => {
    const name = (request.url ?? '/').split('?')[0] ?? '/';
    const file = path.join(folder, name === '/' ? 'index.html' : path.normalize(name));
    const type = types[path.extname(file)];
    if (!file.startsWith(folder) || type === undefined || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy, 'cache-control': 'no-store' });
    createReadStream(file).pipe(response);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (cut) socket.destroy();
    else sockets.handleUpgrade(request, socket, head, (client) => greet(client, secret, host));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    host,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/#${secret}`,
    cutLink: () => {
      cut = true;
      for (const client of sockets.clients) client.terminate();
    },
    mendLink: () => (cut = false),
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The first message carries the secret; the frames follow. */
function greet(client: WebSocket, secret: string, host: FakeHost): void {
  client.once('message', (data: Buffer) => {
    const { secret: given } = JSON.parse(data.toString('utf8')) as { secret?: unknown };
    if (given === secret) serveWire(host.handlers, transportOf(client));
    else client.close(wrongSecretCode);
  });
}

function transportOf(client: WebSocket): ServerTransport {
  return {
    send: (frame: ServerFrame) => {
      if (client.readyState === client.OPEN) client.send(JSON.stringify(frame));
    },
    onFrame: (listener) => client.on('message', (data: Buffer) => listener(JSON.parse(data.toString('utf8')))),
    onClose: (listener) => client.once('close', listener),
    close: () => client.close(1000),
  };
}
