import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { AppError } from '../../../../src-main/contract/errors.ts';
import { serveLocalSocket, type LocalSocketOptions } from '../../../../src-main/engine/local-socket.ts';

async function serve(
  t: TestContext,
  options: Partial<LocalSocketOptions>,
  before = (_file: string) => Promise.resolve(),
) {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-socket-'));
  const file = path.join(folder, 'docker.sock');
  await before(file);
  const server = await serveLocalSocket({
    path: file,
    ready: () => Promise.resolve(),
    connect: () => Promise.reject(new Error('not expected')),
    ...options,
  });
  t.after(async () => {
    await server[Symbol.asyncDispose]();
    await assert.rejects(stat(file), { code: 'ENOENT' });
    await rm(folder, { recursive: true, force: true });
  });
  return file;
}

/** The guest's engine: a TCP server that answers when the other side has ended. */
async function echoGuest(t: TestContext): Promise<() => Promise<Duplex>> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end(Buffer.concat(chunks)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  return async () => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  };
}

test('bytes pass both ways with half-close, through back-pressure', async (t) => {
  const file = await serve(t, { connect: await echoGuest(t) });
  const sent = randomBytes(3_000_000);
  const client = net.connect({ path: file, allowHalfOpen: true });
  client.end(sent);
  const received: Buffer[] = [];
  client.on('data', (chunk: Buffer) => received.push(chunk));
  await once(client, 'end');
  assert.ok(Buffer.concat(received).equals(sent));
});

test('the socket is for its owner alone', async (t) => {
  const file = await serve(t, {});
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('a socket file left by a dead process is replaced', async (t) => {
  const file = await serve(t, { connect: await echoGuest(t) }, (stale) => writeFile(stale, 'left over'));
  const client = net.connect(file);
  await once(client, 'connect');
  client.destroy();
});

test('a path that is too long is explained', async () => {
  const options = { path: `/tmp/${'x'.repeat(120)}/docker.sock`, ready: () => Promise.resolve() };
  const refused = serveLocalSocket({ ...options, connect: () => Promise.resolve(new PassThrough()) });
  await assert.rejects(refused, { code: 'invalid-input', message: /may be 10\d bytes long, this one is 137/ });
});

const stopped = (): Promise<never> =>
  Promise.reject(new AppError('vm-absent', 'the VM is stopped', { hint: 'Start it with: wherry up' }));

test('a client of a stopped VM is told what to do, in docker’s own form', async (t) => {
  const socketPath = await serve(t, { ready: stopped });
  const request = http.get({ socketPath, path: '/v1.47/containers/json', agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  assert.equal(response.statusCode, 503);
  assert.deepEqual(JSON.parse(await text(response)), { message: 'the VM is stopped. Start it with: wherry up' });
});

test('a refused HEAD has no body, and a large refused body does not reset the connection', async (t) => {
  const socketPath = await serve(t, { ready: stopped });
  const head = http.request({ socketPath, path: '/_ping', method: 'HEAD', agent: false }).end();
  const [answer] = (await once(head, 'response')) as [http.IncomingMessage];
  assert.equal(answer.statusCode, 503);
  assert.equal(await text(answer), '');
  const post = http.request({ socketPath, path: '/images/load', method: 'POST', agent: false });
  post.on('error', () => undefined);
  post.end(Buffer.alloc(200_000));
  const [refusal] = (await once(post, 'response')) as [http.IncomingMessage];
  assert.equal(refusal.statusCode, 503);
  refusal.resume();
});

test('clients wait while the VM boots, until the socket is closed', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-socket-'));
  const waits: AbortSignal[] = [];
  const server = await serveLocalSocket({
    path: path.join(folder, 'docker.sock'),
    ready: (signal) => {
      waits.push(signal);
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('gone')));
      });
    },
    connect: () => Promise.reject(new Error('not expected')),
  });
  const client = net.connect(path.join(folder, 'docker.sock'));
  client.on('error', () => undefined);
  await once(client, 'connect');
  while (waits.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.resume();
  await server[Symbol.asyncDispose]();
  const [wait] = waits;
  if (wait?.aborted === false) await once(wait, 'abort');
  await closed;
  await rm(folder, { recursive: true, force: true });
});

test('when the guest’s stream breaks, the client’s connection ends', async (t) => {
  const streams: Duplex[] = [];
  const connect = await echoGuest(t);
  const file = await serve(t, {
    connect: async () => {
      const stream = await connect();
      streams.push(stream);
      return stream;
    },
  });
  const client = net.connect(file);
  client.on('error', () => undefined);
  await once(client, 'connect');
  client.write('x');
  while (streams.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // once() would reject for the reset that comes before.
  const closed = new Promise((resolve) => client.once('close', resolve));
  streams[0]?.destroy(new Error('link lost'));
  await closed;
});
