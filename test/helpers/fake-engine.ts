/** An HTTP server in the place of the guest's engine, reached as the link would: one stream a connection. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface FakeEngine {
  connectEngine(purpose: string, signal?: AbortSignal): Promise<Duplex>;
  /** `METHOD path` without the version prefix, in order. */
  readonly requests: string[];
  readonly bodies: unknown[];
  /** Connections opened so far. */
  connections: number;
  /** Called for upgrade requests; the head is already answered with 101. */
  onUpgrade: ((request: IncomingMessage, socket: Socket, body: string) => void) | undefined;
  /** Cuts every connection, as a lost link would. */
  cut(): void;
}

/** Read with every refresh of the feed, and of no interest to most tests. */
const emptyLists: Record<string, Answer> = {
  'GET /volumes': (_request, response) => json(response, 200, { Volumes: null }),
  'GET /networks': (_request, response) => json(response, 200, []),
};

/** @param routes by `METHOD /path` (without query), what is missing is 404 in Docker's form; or one answer for all */
export async function fakeEngine(t: TestContext, routes: Record<string, Answer> | Answer): Promise<FakeEngine> {
  const sockets = new Set<Socket>();
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const route = note(request, body);
      const answer = typeof routes === 'function' ? routes : (routes[route] ?? emptyLists[route]);
      if (answer) answer(request, response, body);
      else json(response, 404, { message: `no route for ${route}` });
    });
  });
  const note = (request: IncomingMessage, body: string) => {
    const route = `${request.method ?? ''} ${(request.url ?? '').replace(/^\/v1\.\d+/, '').replace(/\?.*/, '')}`;
    engine.requests.push(`${request.method ?? ''} ${(request.url ?? '').replace(/^\/v1\.\d+/, '')}`);
    const isJson = request.headers['content-type'] === 'application/json';
    engine.bodies.push(body === '' ? undefined : isJson ? JSON.parse(body) : body);
    return route;
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    let body = head.toString();
    const wanted = Number(request.headers['content-length'] ?? 0);
    const begin = () => {
      const route = note(request, body.slice(0, wanted));
      const answer = typeof routes === 'function' ? undefined : routes[route];
      if (answer) {
        const response = new http.ServerResponse(request);
        response.assignSocket(socket);
        answer(request, response, body);
        return;
      }
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      engine.onUpgrade?.(request, socket, body.slice(0, wanted));
    };
    if (body.length >= wanted) begin();
    else {
      socket.on('data', function read(chunk: Buffer) {
        body += chunk.toString();
        if (body.length < wanted) return;
        socket.off('data', read);
        begin();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const engine: FakeEngine = {
    requests: [],
    bodies: [],
    connections: 0,
    onUpgrade: undefined,
    connectEngine: (_purpose, signal) => {
      engine.connections += 1;
      return new Promise((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...(signal ? { signal } : {}) });
        socket.once('connect', () => resolve(socket)).once('error', reject);
      });
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
  t.after(async () => {
    engine.cut();
    await new Promise((resolve) => server.close(resolve));
  });
  return engine;
}

export function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

/** A frame of Docker's multiplexed stream. */
export function frame(stream: 'stdout' | 'stderr', text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeUInt8(stream === 'stdout' ? 1 : 2, 0);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

export const containerJson = (id: string, overrides: Record<string, unknown> = {}) => ({
  Id: id,
  Name: '/web',
  Image: 'sha256:1',
  Created: '2026-01-01T00:00:00Z',
  Path: 'nginx',
  Args: ['-g', 'daemon off;'],
  State: { Status: 'running', ExitCode: 0, StartedAt: '2026-01-01T00:00:01Z', FinishedAt: '0001-01-01T00:00:00Z' },
  Config: { Image: 'nginx', Tty: false, Env: ['A=1'], WorkingDir: '/', User: '', Labels: null },
  HostConfig: { RestartPolicy: { Name: 'always' } },
  NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2' } } },
  ...overrides,
});

export const containerSummary = (id: string, name: string, state = 'running') => ({
  Id: id,
  Names: [`/${name}`],
  Image: 'nginx',
  ImageID: 'sha256:1',
  Command: 'nginx',
  Created: 1_700_000_000,
  State: state,
  Status: 'Up 3 minutes',
  Ports: [
    { IP: '127.0.0.1', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { PrivatePort: 443, Type: 'tcp' },
  ],
  Labels: null,
});
