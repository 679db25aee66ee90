/** Images that are pushed, saved, loaded and built: bytes between a window and the engine, as tasks. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { HostStream } from '../../../../src-main/contract/channels.ts';
import { pieceBytes, piecesAhead } from '../../../../src-main/contract/transfers.ts';
import { Upload } from '../../../../src-main/handlers/upload.ts';
import { json } from '../../../helpers/fake-engine.ts';
import { until } from '../../../helpers/handlers.ts';
import { startHandlers } from '../../../helpers/started-handlers.ts';
import { taskOf } from '../../../helpers/task-of.ts';

const piece = (text: string) => ({ data: Buffer.from(text).toString('base64') });

/** All the credit that a whole upload gave back. */
async function takenOf(stream: HostStream<'images.load'> | HostStream<'images.build'>): Promise<number> {
  let taken = 0;
  for await (const item of stream) if ('taken' in item) taken += item.taken;
  return taken;
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

test('an archive is loaded piece by piece, and the task names what came of it', async (t) => {
  const { engine, client } = await startHandlers(t, {
    'POST /images/load': (_request, response) => {
      response.write('{"stream":"Loaded image: a:1\\n"}\n');
      response.end('{"stream":"Loaded image ID: sha256:ab\\n"}\n');
    },
  });
  const stream = client.open('images.load', { name: 'two.tar', sizeBytes: 6 });
  for (const text of ['on', 'e, ', 'two']) stream.send(piece(text));
  stream.send({ end: true });
  assert.equal(await takenOf(stream), 3);
  const task = await taskOf(client, 'two.tar', ({ state }) => state === 'done');
  assert.deepEqual(task.names, ['a:1', 'sha256:ab']);
  assert.equal(task.resultBytes, 8);
  assert.ok(engine.bodies.includes('one, two'));
});

test('an archive without an image is refused in words, and so is one that the engine refuses', async (t) => {
  let answer = '{"stream":""}\n';
  const { client } = await startHandlers(t, {
    'POST /images/load': (_request, response) => response.end(answer),
  });
  const load = async (name: string) => {
    const stream = client.open('images.load', { name, sizeBytes: 1 });
    stream.send(piece('x'));
    stream.send({ end: true });
    await takenOf(stream);
    return (await taskOf(client, name, ({ state }) => state === 'failed')).error;
  };
  const empty = await load('empty.tar');
  assert.equal(empty?.message, 'load empty.tar: there is no image in it');
  assert.ok(empty);
  assert.match(empty.hint ?? '', /docker save/);
  answer = '{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}\n';
  assert.equal((await load('cut.tar'))?.message, 'load cut.tar: unexpected EOF');
});

test('a window that goes in the middle ends the load; one that goes after the last piece does not', async (t) => {
  let closed: Promise<unknown> | undefined;
  const bodies: string[] = [];
  let finish = () => undefined as unknown;
  const { client, newWindow } = await startHandlers(t, {
    'POST /images/load': (_request, response, body) => {
      bodies.push(body);
      finish = () => response.end('{"stream":"Loaded image: a:1\\n"}\n');
      closed = once(response, 'close');
    },
  });
  const other = newWindow();
  const cut = other.open('images.load', { name: 'cut.tar', sizeBytes: 9 });
  cut.send(piece('abc'));
  await taskOf(client, 'cut.tar', ({ bytes }) => bytes?.done === 3);
  other.close();
  const failed = await taskOf(client, 'cut.tar', ({ state }) => state === 'failed');
  assert.equal(failed.error?.message, 'load cut.tar: the window that sent it was closed');
  assert.deepEqual(bodies, []);

  const third = newWindow();
  const whole = third.open('images.load', { name: 'whole.tar', sizeBytes: 3 });
  whole.send(piece('abc'));
  whole.send({ end: true });
  const cutOff = assert.rejects(takenOf(whole), { code: 'cancelled' });
  await until(() => bodies.length === 1);
  third.close();
  await cutOff;
  finish();
  await taskOf(client, 'whole.tar', ({ state }) => state === 'done');
  await closed;
});

test('a window that sends more than it was given leave to is cut off', async () => {
  const upload = new Upload('load flood.tar', {
    signal: new AbortController().signal,
    onMessage: (listener) => {
      for (let sent = 0; sent <= piecesAhead; sent += 1) listener(piece('x'));
    },
  });
  await assert.rejects(drain(upload), { code: 'invalid-input', message: 'load flood.tar: too much at once' });
  await drain(upload.credits());
});

test('images are saved byte by byte; a cancelled save ends at the engine', async (t) => {
  const archive = Buffer.alloc(pieceBytes * 2 + 5, 'wherry');
  let closed: Promise<unknown> | undefined;
  const { engine, client } = await startHandlers(t, {
    'GET /images/shop/web%3A1/get': (_request, response) => {
      for (let at = 0; at < archive.length; at += 321) response.write(archive.subarray(at, at + 321));
      response.end();
    },
    'GET /images/get': (_request, response) => {
      response.write(archive);
      closed = once(response, 'close');
    },
    'GET /images/none/get': (_request, response) => json(response, 404, { message: 'No such image: none' }),
  });
  const parts: Buffer[] = [];
  for await (const item of client.open('images.save', { references: ['shop/web:1'] })) {
    if ('data' in item) parts.push(Buffer.from(item.data, 'base64'));
  }
  assert.ok(Buffer.concat(parts).equals(archive));
  assert.equal((await taskOf(client, 'shop/web:1', ({ state }) => state === 'done')).resultBytes, archive.length);

  const two = client.open('images.save', { references: ['a', 'b'] });
  const read = (async () => {
    for await (const item of two) if ('taskId' in item) void client.call('tasks.cancel', { id: item.taskId });
  })();
  await assert.rejects(read, { code: 'cancelled' });
  await closed;
  assert.ok(engine.requests.includes('GET /images/get?names=a%2Cb'));
  assert.equal((await taskOf(client, 'a and 1 more', () => true)).state, 'cancelled');

  await assert.rejects(drain(client.open('images.save', { references: ['none'] })), /No such image/);
  assert.equal((await taskOf(client, 'none', () => true)).state, 'failed');
});

test('a build tells its steps as they come, keeps its output, and fails with its reason', async (t) => {
  const lines = (...objects: object[]) => objects.map((object) => `${JSON.stringify(object)}\n`).join('');
  let go: (() => void) | undefined;
  const { engine, client } = await startHandlers(t, {
    'POST /build': (_request, response) => {
      response.write(
        lines(
          { stream: 'Step 1/2 : FROM base\n' },
          { status: 'Pulling fs layer', id: 'a1' },
          { status: 'Downloading', id: 'a1', progressDetail: { current: 1, total: 2 } },
          { stream: ' ---> 0123456789ab\nStep 2' },
          { stream: '/2 : RUN make\n' },
        ),
      );
      go = () =>
        response.end(
          lines({ stream: 'cc -o a\n' }, { errorDetail: { code: 2, message: 'make: 2' }, error: 'make: 2' }),
        );
    },
  });
  const stream = client.open('images.build', {
    reference: 'shop/web',
    dockerfile: 'docker/Dockerfile',
    target: '',
    arguments: { A: '1' },
    noCache: true,
    pull: false,
    sizeBytes: 3,
  });
  stream.send(piece('tar'));
  stream.send({ end: true });
  const sent = takenOf(stream);
  await until(() => go !== undefined);
  const running = await taskOf(client, 'shop/web:latest', ({ step }) => step !== undefined);
  const seen: string[] = [];
  const follow = (async () => {
    for await (const { lines } of client.open('tasks.output', { id: running.id })) seen.push(...lines);
  })();
  await until(() => seen.length === 4);
  go?.();
  await follow;
  assert.equal(await sent, 1);
  assert.deepEqual(seen, [
    'Step 1/2 : FROM base',
    'a1: Pulling fs layer',
    ' ---> 0123456789ab',
    'Step 2/2 : RUN make',
    'cc -o a',
  ]);
  const failed = await taskOf(client, 'shop/web:latest', ({ state }) => state === 'failed');
  assert.equal(failed.error?.message, 'build shop/web:latest: make: 2');
  assert.equal(failed.step, 'Step 2/2 : RUN make');
  assert.ok(
    engine.requests.includes(
      'POST /build?t=shop%2Fweb%3Alatest&dockerfile=docker%2FDockerfile&buildargs=%7B%22A%22%3A%221%22%7D&nocache=true&forcerm=true',
    ),
  );
  await client.call('tasks.forget', { id: running.id });
  await assert.rejects(drain(client.open('tasks.output', { id: running.id })), /no longer on the list/);
});

test('a push is a task too, and a registry that wants a login is said so', async (t) => {
  let answer = '{"status":"1: digest: sha256:ab size: 9"}\n';
  const { engine, client } = await startHandlers(t, {
    'POST /images/localhost:5000/web/push': (_request, response) => response.end(answer),
    'POST /images/localhost%3A5000/web/push': (_request, response) => response.end(answer),
  });
  await client.call('images.push', { reference: 'localhost:5000/web:1' });
  assert.equal((await taskOf(client, 'localhost:5000/web:1', ({ state }) => state === 'done')).digest, 'sha256:ab');
  assert.ok(engine.requests.some((request) => request.endsWith('/web/push?tag=1')));
  answer = '{"errorDetail":{"message":"denied"},"error":"denied"}\n';
  await client.call('images.push', { reference: 'localhost:5000/web:2' });
  const { error } = await taskOf(client, 'localhost:5000/web:2', ({ state }) => state === 'failed');
  assert.match(error?.hint ?? '', /login/);
  await assert.rejects(client.call('images.push', { reference: `web@sha256:${'a'.repeat(64)}` }), /only a tag/);
});
