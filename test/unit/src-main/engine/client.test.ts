import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { z } from 'zod';
import { AppError } from '../../../../src-main/contract/errors.ts';
import { EngineClient, engineError, imageSegment, segment } from '../../../../src-main/engine/client.ts';
import { fakeEngine, json } from '../../../helpers/fake-engine.ts';

const anything = z.unknown();

test('reads share one kept connection, changes get their own', async (t) => {
  const engine = await fakeEngine(t, {
    'GET /version': (_request, response) => json(response, 200, { ApiVersion: '1.47' }),
    'POST /containers/a/start': (_request, response) => void response.writeHead(204).end(),
  });
  const client = new EngineClient(engine);
  t.after(() => client.close());
  const read = () => client.json({ attempt: 'ask', path: '/version' }, z.object({ ApiVersion: z.string() }));
  assert.deepEqual(await read(), { ApiVersion: '1.47' });
  await read();
  assert.equal(engine.connections, 1);
  assert.equal(await client.send({ attempt: 'start a', method: 'POST', path: '/containers/a/start' }), 204);
  assert.equal(engine.connections, 2);
});

test('a kept connection gathers no listeners', async (t) => {
  const engine = await fakeEngine(t, { 'GET /version': (_request, response) => json(response, 200, {}) });
  const streams = new Set<Duplex>();
  const client = new EngineClient({
    connectEngine: async (purpose, signal) => {
      const stream = await engine.connectEngine(purpose, signal);
      streams.add(stream);
      return stream;
    },
  });
  t.after(() => client.close());
  const listeners: number[] = [];
  for (let asked = 0; asked < 5; asked += 1) {
    await client.json({ attempt: 'ask', path: '/version' }, anything);
    for (const stream of streams) listeners.push(stream.listenerCount('error'));
  }
  assert.equal(streams.size, 1);
  assert.equal(new Set(listeners).size, 1, String(listeners));
});

test('a kept connection that died meanwhile is replaced without the caller noticing', async (t) => {
  let answers = 0;
  const engine = await fakeEngine(t, {
    'GET /version': (request, response) => {
      answers += 1;
      // The second request on the kept connection meets its death.
      if (answers === 2) request.socket.resetAndDestroy();
      else json(response, 200, {});
    },
  });
  const client = new EngineClient(engine);
  t.after(() => client.close());
  await client.json({ attempt: 'ask', path: '/version' }, anything);
  await client.json({ attempt: 'ask', path: '/version' }, anything);
  assert.equal(engine.connections, 2);
});

test('errors carry the attempt, Docker’s message, the status and a code', async (t) => {
  const statuses: Record<string, [number, string]> = {
    '404': [404, 'not-found'],
    '409': [409, 'conflict'],
    '400': [400, 'invalid-input'],
    '500': [500, 'engine'],
    '501': [501, 'unsupported'],
    '503': [503, 'unavailable'],
  };
  const engine = await fakeEngine(
    t,
    Object.fromEntries(
      Object.entries(statuses).map(([name, [status]]) => [
        `POST /x/${name}`,
        (_request: unknown, response: Parameters<typeof json>[0]) =>
          json(response, status, { message: `said ${name}` }),
      ]),
    ),
  );
  const client = new EngineClient(engine);
  for (const [name, [status, code]] of Object.entries(statuses)) {
    await assert.rejects(client.send({ attempt: 'start web', method: 'POST', path: `/x/${name}` }), {
      code,
      status,
      message: `start web: said ${name}`,
    });
  }
  assert.equal(await client.send({ attempt: 'x', method: 'POST', path: '/x/404', expect: [404] }), 404);
});

test('a taken port has its own code; an answer without JSON is shown as it is', () => {
  const taken =
    'driver failed programming external connectivity: Bind for 127.0.0.1:8080 failed: port is already allocated';
  assert.equal(engineError('start web', 500, JSON.stringify({ message: taken })).code, 'port-taken');
  assert.equal(engineError('start web', 502, 'bad gateway\n').message, 'start web: bad gateway');
  assert.equal(engineError('start web', 500, '').message, 'start web: the engine answered with status 500');
});

test('an answer of another shape, or none, is an error of the engine and no crash', async (t) => {
  const engine = await fakeEngine(t, {
    'GET /list': (_request, response) => json(response, 200, { not: 'a list' }),
    'GET /broken': (_request, response) => void response.end('{'),
  });
  const client = new EngineClient(engine);
  t.after(() => client.close());
  await assert.rejects(client.json({ attempt: 'list', path: '/list' }, z.array(z.string())), {
    code: 'engine',
    message: /list: unexpected answer/,
  });
  await assert.rejects(client.json({ attempt: 'list', path: '/broken' }, anything), { message: /not JSON/ });
});

test('a lost link, a missing VM, a deadline and a cancellation are told apart', async (t) => {
  const engine = await fakeEngine(t, {
    'GET /never': () => undefined,
    'GET /half': (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('{"half');
      setImmediate(() => response.socket?.destroy());
    },
  });
  const client = new EngineClient(engine);
  t.after(() => client.close());
  await assert.rejects(client.json({ attempt: 'ask', path: '/half' }, anything), {
    code: 'link-lost',
    message: /^ask: /,
  });
  await assert.rejects(client.json({ attempt: 'ask', path: '/never', timeoutMs: 20 }, anything), { code: 'deadline' });
  const abort = new AbortController();
  const cancelled = client.json({ attempt: 'ask', path: '/never', signal: abort.signal }, anything);
  setImmediate(() => abort.abort());
  await assert.rejects(cancelled, { code: 'cancelled' });
  await assert.rejects(client.json({ attempt: 'ask', path: '/never', signal: AbortSignal.abort() }, anything), {
    code: 'cancelled',
  });
  const without = new EngineClient({ connectEngine: () => Promise.reject(new AppError('vm-absent', 'no VM runs')) });
  await assert.rejects(without.json({ attempt: 'ask', path: '/version' }, anything), { code: 'vm-absent' });
});

test('a stream of objects comes whole however it is chunked, and leaving it ends the request', async (t) => {
  const objects = [{ status: 'Pulling', id: 'é🛶' }, { status: 'Done' }];
  const text = Buffer.from(objects.map((object) => `${JSON.stringify(object)}\r\n`).join(''));
  let closed: Promise<unknown> | undefined;
  const engine = await fakeEngine(t, {
    'GET /bytes': (request, response) => {
      const size = Number(new URL(request.url ?? '', 'http://x').searchParams.get('size'));
      for (let at = 0; at < text.length; at += size) response.write(text.subarray(at, at + size));
      response.end();
    },
    'GET /endless': (_request, response) => {
      response.write('{"n":1}\n');
      closed = once(response, 'close');
    },
  });
  const client = new EngineClient(engine);
  for (const size of [1, 321, text.length]) {
    const seen: unknown[] = [];
    for await (const object of client.ndjson({ attempt: 'read', path: '/bytes', query: { size } })) seen.push(object);
    assert.deepEqual(seen, objects);
  }
  for await (const _object of client.ndjson({ attempt: 'read', path: '/endless' })) break;
  await closed;
});

test('a stream that is cut throws link-lost; one that was opened and refused throws the refusal', async (t) => {
  const engine = await fakeEngine(t, {
    'GET /events': (_request, response) => {
      response.write('{"n":1}\n');
      setTimeout(() => response.socket?.destroy(), 5);
    },
    'POST /images/create': (_request, response) => json(response, 404, { message: 'manifest unknown' }),
  });
  const client = new EngineClient(engine);
  const seen: unknown[] = [];
  await assert.rejects(
    async () => {
      for await (const object of client.ndjson({ attempt: 'follow', path: '/events' })) seen.push(object);
    },
    { code: 'link-lost' },
  );
  assert.equal(seen.length, 1);
  await assert.rejects(client.ndjson({ attempt: 'pull x', method: 'POST', path: '/images/create' }).next(), {
    code: 'not-found',
  });
});

test('hijacking gives a raw stream both ways with half-close; a refusal is an error', async (t) => {
  const engine = await fakeEngine(t, {
    'POST /exec/bad/start': (_request, response) => json(response, 409, { message: 'container is paused' }),
    'POST /exec/plain/start': (_request, response) => void response.writeHead(200).end('hello'),
  });
  engine.onUpgrade = (_request, socket) => {
    socket.write('welcome ');
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
    socket.on('end', () => socket.end(' bye'));
  };
  const client = new EngineClient(engine);
  const socket = await client.hijack({ attempt: 'exec', method: 'POST', path: '/exec/a/start', body: { Tty: true } });
  assert.deepEqual(engine.bodies, [{ Tty: true }]);
  socket.end('abc');
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString();
  assert.equal(text, 'welcome ABC bye');
  await assert.rejects(client.hijack({ attempt: 'exec', method: 'POST', path: '/exec/bad/start' }), {
    code: 'conflict',
    message: 'exec: container is paused',
  });
  await assert.rejects(client.hijack({ attempt: 'exec', method: 'POST', path: '/exec/plain/start' }), {
    code: 'engine',
    message: /did not open a stream/,
  });
});

test('identifiers cannot break out of their place in a path', () => {
  assert.equal(segment('../x?force=1#'), '..%2Fx%3Fforce%3D1%23');
  assert.equal(imageSegment('library/nginx:1?x'), 'library/nginx%3A1%3Fx');
});
