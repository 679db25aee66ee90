import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { openWebSocket } from '../../../../src-main/contract/wire-transports.ts';
import { wireVersion } from '../../../../src-main/contract/wire.ts';
import { createWireClient } from '../../../../src-main/contract/wire-client.ts';
import type { Handlers } from '../../../../src-main/handlers/handlers.ts';
import { memoryTransports } from '../../../../src-main/handlers/memory-transport.ts';
import {
  clientSocketTransport,
  LineSplitter,
  serverSocketTransport,
} from '../../../../src-main/handlers/socket-transport.ts';
import { serveWire } from '../../../../src-main/handlers/wire-server.ts';
import { serverWebSocketTransport } from '../../../../src-main/web/websocket-transport.ts';
import { fakeHandlers, until } from '../../../helpers/handlers.ts';
import { wireSuite, type WireHost } from '../../../suites/wire.ts';

wireSuite('memory', (handlers) => Promise.resolve(memoryHost(handlers)));
wireSuite('a WebSocket', webSocketHost);
wireSuite('a unix socket', (handlers) => socketHost(handlers, Infinity));
wireSuite('a unix socket in chunks of 321 bytes', (handlers) => socketHost(handlers, 321));
wireSuite('a unix socket in chunks of 1 byte', (handlers) => socketHost(handlers, 1));

function memoryHost(handlers: Handlers): WireHost {
  const cuts: (() => void)[] = [];
  return {
    connect: () => {
      const { client, server } = memoryTransports();
      serveWire(handlers, server);
      cuts.push(() => server.close());
      return Promise.resolve(client);
    },
    cut: () => {
      for (const cut of cuts) cut();
    },
    close: () => Promise.resolve(),
  };
}

async function webSocketHost(handlers: Handlers): Promise<WireHost> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (socket) => {
    socket.once('message', () => serveWire(handlers, serverWebSocketTransport(socket)));
  });
  const { port } = server.address() as { port: number };
  return {
    connect: () => openWebSocket(new WebSocket(`ws://127.0.0.1:${port}`), 'secret'),
    cut: () => {
      for (const socket of server.clients) socket.terminate();
    },
    close: async () => {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function socketHost(handlers: Handlers, chunkBytes: number): Promise<WireHost> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-wire-'));
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    serveWire(handlers, serverSocketTransport(inChunks(socket, chunkBytes)));
  });
  const file = path.join(folder, 'host.sock');
  await new Promise<void>((resolve) => server.listen(file, resolve));
  return {
    connect: async () => {
      const socket = connect(file);
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      return clientSocketTransport(inChunks(socket, chunkBytes));
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

/** The same stream, its reads cut into pieces of at most so many bytes. */
function inChunks(socket: Socket, chunkBytes: number): Duplex {
  if (chunkBytes === Infinity) return socket;
  const wrapper = new Duplex({
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, (error) => done(error ?? null)),
    final: (done) => void socket.end(done),
    read: () => undefined,
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += chunkBytes) wrapper.push(chunk.subarray(at, at + chunkBytes));
  });
  socket.on('end', () => wrapper.push(null));
  socket.on('error', () => undefined);
  socket.on('close', () => wrapper.destroy());
  return wrapper;
}

test('a frame that makes no sense, or comes before hello, ends the connection', async () => {
  for (const frames of [
    [{ t: 'call', id: 1, channel: 'vm.start', input: {} }],
    [{ t: 'hello', version: wireVersion }, 'nonsense'],
    [
      { t: 'hello', version: wireVersion },
      { t: 'call', id: -1, channel: 'vm.start', input: {} },
    ],
    [{ t: 'hello', version: wireVersion + 1 }],
  ]) {
    const { client, server } = memoryTransports();
    const served = serveWire(fakeHandlers(), server);
    for (const frame of frames) client.send(frame as never);
    await served.closed;
  }
});

test('a connection holds a bounded number of open requests', async () => {
  const { client: transport, server } = memoryTransports();
  const handlers = fakeHandlers({ calls: { 'vm.start': () => new Promise<void>(() => undefined) } });
  serveWire(handlers, server, { openRequests: 3, waitingMessages: 1 });
  const client = createWireClient(transport);
  const calls = Array.from({ length: 3 }, () => client.call('vm.start', {}).catch(() => 'ended'));
  await assert.rejects(client.call('vm.stop', {}), { code: 'unavailable', message: /more than 3 requests/ });
  client.close();
  assert.deepEqual(await Promise.all(calls), ['ended', 'ended', 'ended']);
});

test('a client refuses a host of another version, saying so', async () => {
  const { client: transport, server } = memoryTransports();
  const client = createWireClient(transport);
  let code = '';
  client.onDisconnect((reason) => (code = reason.code));
  server.send({ t: 'hello', version: wireVersion + 1 });
  await until(() => code !== '');
  assert.equal(code, 'unsupported');
});

test('lines are cut the same however they are chunked, and a too long one throws', () => {
  const text = Buffer.from('one\n\nzwölf 🛶\nrest');
  for (const size of [1, 3, 321]) {
    const splitter = new LineSplitter(64);
    const lines: string[] = [];
    for (let at = 0; at < text.length; at += size) lines.push(...splitter.push(text.subarray(at, at + size)));
    assert.deepEqual([...lines, splitter.rest()], ['one', '', 'zwölf 🛶', 'rest']);
  }
  assert.throws(() => [...new LineSplitter(8).push(Buffer.from('123456789'))], /longer than 8 bytes/);
});
