/** The HTTP server on a real socket: boot answers, versions, malformed requests, hijacked connections. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { readBodyAs, skipBody } from '../../../../../vm/agent/http/body.ts';
import { hijack } from '../../../../../vm/agent/http/hijack.ts';
import { sendJson } from '../../../../../vm/agent/http/reply.ts';
import type { Route } from '../../../../../vm/agent/http/route.ts';
import { startEngineServer } from '../../../../../vm/agent/http/server.ts';
import { acceptWebSocket, Unframed } from '../../../../../vm/agent/http/websocket.ts';
import { EngineError } from '../../../../../vm/contract/errors.ts';
import { until } from '../../../../helpers/until.ts';

const routes: Route[] = [
  {
    method: 'POST',
    path: '/things/:name/echo',
    handle: async ({ request, response, params, apiVersion }) => {
      const body = await readBodyAs(request, z.object({ word: z.string() }));
      sendJson(response, { ...params, ...body, apiVersion });
    },
  },
  {
    method: 'POST',
    path: '/raw',
    takesOver: true,
    handle: async ({ request, response }) => {
      const { word } = await readBodyAs(request, z.object({ word: z.string().default('none') }));
      const socket = await hijack(request, response, 'raw-stream');
      socket.write(`<${word}>`);
      socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
      socket.on('end', () => socket.end('end'));
      socket.resume();
    },
  },
  {
    method: 'GET',
    path: '/socket',
    takesOver: true,
    handle: async ({ request, response }) => {
      const client = new Unframed(await acceptWebSocket(request, response));
      client.on('error', () => undefined);
      client.on('data', (chunk: Buffer) => {
        // Cut in the middle of the second frame's header.
        const frames = Buffer.concat([frame(1, `out ${String(chunk)}`), frame(2, ' err')]);
        client.write(frames.subarray(0, frames.length - 8));
        client.end(frames.subarray(frames.length - 8));
      });
    },
  },
  { method: 'GET', path: '/broken', handle: () => Promise.reject(new TypeError('a bug')) },
  { method: 'GET', path: '/taken', handle: () => Promise.reject(new EngineError('conflict', 'it is taken')) },
  { method: 'GET', path: '/same', handle: () => Promise.reject(new EngineError('not-modified', 'same')) },
];

function frame(stream: number, words: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, words.length]);
  return Buffer.concat([header, Buffer.from(words)]);
}

async function serve(t: TestContext, open = true): Promise<string> {
  return (await serveCounted(t, open)).socketPath;
}

async function serveCounted(t: TestContext, open = true) {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-http-'));
  const socketPath = path.join(folder, 'docker.sock');
  const server = await startEngineServer({
    socketPath,
    serverHeader: 'Wherry/test (linux)',
    early: [{ method: 'GET', path: '/_ping', handle: ({ response }) => Promise.resolve(void response.end('OK')) }],
    describeBoot: () => 'the engine is not ready yet: preparing the data disk',
  });
  if (open) server.open(routes);
  t.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  return { socketPath, server };
}

function call(socketPath: string, method: string, url: string, body?: string) {
  return new Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const request = httpRequest({ socketPath, method, path: url, agent: false }, (response) => {
        text(response).then(
          (answer) => resolve({ status: response.statusCode, headers: response.headers, body: answer }),
          reject,
        );
      });
      request.on('error', reject);
      request.end(body);
    },
  );
}

/** Sends bytes, then ends its side, and reads to the end. */
async function talk(socketPath: string, ...parts: string[]): Promise<string> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.end();
  await new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
  return received;
}

test('before the engine is open: ping answers, the rest is told the stage', async (t) => {
  const socketPath = await serve(t, false);
  assert.equal(statSync(socketPath).mode & 0o777, 0o660);
  assert.equal((await call(socketPath, 'GET', '/v1.41/_ping')).body, 'OK');
  const early = await call(socketPath, 'GET', '/containers/json');
  assert.equal(early.status, 503);
  assert.deepEqual(JSON.parse(early.body), { message: 'the engine is not ready yet: preparing the data disk' });
});

test('version prefixes: none and all supported ones; others are told why', async (t) => {
  const socketPath = await serve(t);
  const answer = await call(socketPath, 'POST', '/v1.24/things/a%2Fb/echo', '{"word":"w"}');
  assert.deepEqual(JSON.parse(answer.body), { name: 'a/b', word: 'w', apiVersion: '1.24' });
  assert.equal(answer.headers['api-version'], '1.47');
  assert.equal(answer.headers.server, 'Wherry/test (linux)');
  const old = await call(socketPath, 'GET', '/v1.23/taken');
  assert.equal(old.status, 400);
  assert.match(old.body, /client version 1.23 is too old. Minimum supported API version is 1.24/);
  assert.match((await call(socketPath, 'GET', '/v1.48/taken')).body, /client version 1.48 is too new/);
});

test('errors: their status and message; a bug is a 500 and the server lives on', async (t) => {
  const socketPath = await serve(t);
  assert.deepEqual(await call(socketPath, 'GET', '/taken').then(({ status, body }) => [status, body]), [
    409,
    '{"message":"it is taken"}\n',
  ]);
  assert.equal((await call(socketPath, 'GET', '/same')).status, 304);
  assert.equal((await call(socketPath, 'GET', '/broken')).status, 500);
  assert.equal((await call(socketPath, 'GET', '/nothing')).status, 404);
  assert.equal((await call(socketPath, 'DELETE', '/taken')).status, 404);
  for (const body of ['{', '{"word":1}', '[]', 'null']) {
    assert.equal((await call(socketPath, 'POST', '/things/x/echo', body)).status, 400, body);
  }
  const large = await call(socketPath, 'POST', '/things/x/echo', `{"word":"${'x'.repeat(5_000_000)}"}`).catch(
    () => undefined,
  );
  assert.ok(large === undefined || large.status === 413);
  assert.match(await talk(socketPath, 'nonsense\r\n\r\n'), /^HTTP\/1.1 400/);
  assert.equal((await call(socketPath, 'GET', '/%E0%A4%A')).status, 404);
  assert.equal((await call(socketPath, 'GET', '/_ping')).status, 200);
});

test('hijack with Upgrade: the body first, however it is cut, then raw both ways with half-close', async (t) => {
  const socketPath = await serve(t);
  const head =
    'POST /v1.47/raw HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 12\r\n\r\n';
  for (const parts of [
    [head, '{"wo', 'rd":"a"}typed'],
    [`${head}{"word":"a"}typed`],
    [`${head}{"word":"a"}`, 'ty', 'ped'],
  ]) {
    const answer = await talk(socketPath, ...parts);
    assert.match(answer, /^HTTP\/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n/);
    assert.match(answer, /Content-Type: application\/vnd.docker.raw-stream\r\n/);
    assert.equal(answer.slice(answer.indexOf('\r\n\r\n') + 4), '<a>TYPEDend');
  }
});

test('hijack without Upgrade: 200, then raw', async (t) => {
  const socketPath = await serve(t);
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  socket.write('POST /raw HTTP/1.1\r\nHost: d\r\nContent-Length: 12\r\n\r\n{"word":"b"}');
  // Only then the connection is not HTTP any more.
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.end('GET / HTTP/1.1 is only text now');
  const answer = `${first.toString()}${await text(socket)}`;
  assert.match(answer, /^HTTP\/1.1 200 OK\r\n/);
  assert.equal(answer.slice(answer.indexOf('\r\n\r\n') + 4), '<b>GET / HTTP/1.1 IS ONLY TEXT NOWend');
});

test('an upgraded request whose body never comes leaves nothing behind', async (t) => {
  const socketPath = await serve(t);
  const head = 'POST /raw HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 12\r\n\r\n{';
  assert.match(await talk(socketPath, head), /^HTTP\/1.1 400/);
  assert.equal((await call(socketPath, 'GET', '/_ping')).status, 200);
});

test('containers given the engine’s socket reach it by one that anyone may open, in a folder that nobody may enter', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-http-'));
  const containerSocketPath = path.join(folder, 'open', 'docker.sock');
  const server = await startEngineServer({
    socketPath: path.join(folder, 'docker.sock'),
    containerSocketPath,
    serverHeader: '',
    early: routes,
    describeBoot: () => '',
  });
  t.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  assert.equal((await call(containerSocketPath, 'GET', '/taken')).status, 409);
  const modeOf = (file: string): number => statSync(file).mode & 0o777;
  assert.deepEqual(
    [path.join(folder, 'docker.sock'), containerSocketPath, path.dirname(containerSocketPath)].map(modeOf),
    [0o660, 0o666, 0o700],
  );
});

test('a hijacked connection that nobody reads yet keeps what comes', async (t) => {
  let taken: Awaited<ReturnType<typeof hijack>> | undefined;
  const late: Route = {
    method: 'POST',
    path: '/late',
    takesOver: true,
    handle: async ({ request, response }) => {
      await skipBody(request);
      taken = await hijack(request, response, 'raw-stream');
    },
  };
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-http-'));
  const socketPath = path.join(folder, 'docker.sock');
  const server = await startEngineServer({ socketPath, serverHeader: '', early: [late], describeBoot: () => '' });
  t.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  for (const upgrade of ['', 'Connection: Upgrade\r\nUpgrade: tcp\r\n']) {
    const talking = talk(
      socketPath,
      `POST /late HTTP/1.1\r\nHost: d\r\n${upgrade}Content-Length: 0\r\n\r\n`,
      'early words',
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
    taken?.on('data', (chunk: Buffer) => taken?.write(chunk.toString().toUpperCase())).on('end', () => taken?.end());
    taken?.resume();
    assert.match(await talking, /EARLY WORDS$/);
  }
});

test('a WebSocket: messages in, output without frames, an end; any other request is refused', async (t) => {
  const socketPath = await serve(t);
  const client = new WebSocket(`ws+unix:${socketPath}:/v1.47/socket`);
  const told: string[] = [];
  client.on('message', (data: Buffer, isBinary) => told.push(`${isBinary} ${data.toString()}`));
  client.on('open', () => client.send('hello'));
  await once(client, 'close');
  assert.equal(told.map((line) => line.slice('true '.length)).join(''), 'out hello err');
  assert.ok(
    told.every((line) => line.startsWith('true')),
    told.join(),
  );
  const plain = await call(socketPath, 'GET', '/socket');
  assert.deepEqual([plain.status, /Upgrade: websocket/.test(plain.body)], [400, true]);
});

test('what is being answered is known until its end, also when the connection was taken over', async (t) => {
  const { socketPath, server } = await serveCounted(t);
  const heads = [
    'POST /v1.47/raw HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}',
    'POST /raw HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{}',
  ];
  for (const head of heads) {
    const client = connect(socketPath);
    client.write(head);
    await once(client, 'data');
    assert.deepEqual(server.underWay(), [{ method: 'POST', path: '/raw' }]);
    client.end();
    client.resume();
    await once(client, 'close');
    await until('it is over', () => server.underWay().length === 0);
  }
  await call(socketPath, 'GET', '/broken');
  await call(socketPath, 'GET', '/nowhere');
  assert.deepEqual(server.underWay(), []);
});
