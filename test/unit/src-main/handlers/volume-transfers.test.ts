/** Whole volumes: cloned, exported, imported, measured. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json } from '../../../helpers/fake-engine.ts';
import { startHandlers } from '../../../helpers/started-handlers.ts';
import { taskOf } from '../../../helpers/task-of.ts';

const lines = (...messages: readonly object[]): string => messages.map((one) => `${JSON.stringify(one)}\n`).join('');

test('a clone is a task with its progress; what the engine says last decides', async (t) => {
  let answer = '';
  const { client } = await startHandlers(t, {
    'POST /wherry/v1/volumes/web%20data/clone': (_request, response) => response.writeHead(200).end(answer),
  });
  const run = async (newName: string) => {
    await client.call('volumes.clone', { name: 'web data', newName });
    return taskOf(client, `web data as ${newName}`, ({ state }) => state !== 'running');
  };
  answer = lines(
    { kind: 'progress', files: 0, bytes: 0, totalBytes: 100 },
    { kind: 'progress', files: 2, bytes: 60, totalBytes: 100 },
    { kind: 'done', files: 3, bytes: 100, sharedBytes: 100 },
  );
  const done = await run('two');
  assert.deepEqual(
    [done.kind, done.subject, done.state, done.resultBytes],
    [...['clone-volume', 'web data as two', 'done', 100]],
  );
  answer = lines({ kind: 'progress', files: 0, bytes: 0, totalBytes: 1 }, { kind: 'failed', message: 'disk full' });
  assert.equal((await run('three')).error?.message, 'clone web data: disk full');
  answer = lines({ kind: 'progress', files: 0, bytes: 0, totalBytes: 1 });
  assert.match((await run('four')).error?.message ?? '', /did not say how it ended/);
});

test('an export is all that the engine sends; an import is sent as it comes', async (t) => {
  const { engine, client } = await startHandlers(t, {
    'GET /wherry/v1/volumes/vol/export': (_request, response) => response.writeHead(200).end('an archive'),
    'POST /wherry/v1/volumes/new/import': (_request, response) => response.writeHead(201).end(),
  });
  let bytes = '';
  for await (const item of client.open('volumes.export', { name: 'vol' })) {
    if ('data' in item) bytes += Buffer.from(item.data, 'base64').toString();
  }
  assert.equal(bytes, 'an archive');
  const stream = client.open('volumes.import', { name: 'new', sizeBytes: 7 });
  stream.send({ data: Buffer.from('archive').toString('base64') });
  stream.send({ end: true });
  for await (const item of stream) assert.ok('taskId' in item || item.taken > 0);
  await taskOf(client, 'new', ({ state }) => state === 'done');
  assert.ok(engine.bodies.includes('archive'));
});

test('sizes leave out what is gone; another failure is told', async (t) => {
  const { client } = await startHandlers(t, {
    'GET /wherry/v1/volumes/a/usage': (_request, response) => json(response, 200, { sizeBytes: 5 }),
    'GET /wherry/v1/volumes/gone/usage': (_request, response) => json(response, 404, { message: 'no such volume' }),
    'GET /wherry/v1/volumes/bad/usage': (_request, response) => json(response, 500, { message: 'the disk gave up' }),
  });
  assert.deepEqual(await client.call('volumes.sizes', { names: ['gone', 'a'] }), {
    sizes: [{ name: 'a', sizeBytes: 5 }],
  });
  await assert.rejects(client.call('volumes.sizes', { names: ['bad'] }), /measure bad: the disk gave up/);
});
