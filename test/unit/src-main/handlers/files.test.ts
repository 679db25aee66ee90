/** A container's files: listed, read, taken out, put in. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { pack } from 'tar-stream';
import { permissionsOf } from '../../../../src-main/engine/files-api.ts';
import { json } from '../../../helpers/fake-engine.ts';
import { settle, until } from '../../../helpers/handlers.ts';
import { startHandlers } from '../../../helpers/started-handlers.ts';
import { taskOf } from '../../../helpers/task-of.ts';

const folderBit = 2 ** 31;
const linkBit = 2 ** 27;

function sendArchive(response: ServerResponse, name: string, content: string | Buffer, stat: object = {}): void {
  const size = Buffer.byteLength(content);
  const told = { name, size, mode: 0o644, linkTarget: '', ...stat };
  response.writeHead(200, {
    'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(told)).toString('base64'),
  });
  const archive = pack();
  archive.entry({ name }, content);
  archive.finalize();
  archive.pipe(response);
}

test('a folder is listed: folders first, modes in letters, links as they are', async (t) => {
  const entry = (name: string, mode: number, target = '') => ({ name, mode, sizeBytes: 3, modifiedAtMs: 5000, target });
  const { engine, client } = await startHandlers(t, {
    'GET /wherry/v1/containers/c1/files': (_request, response) =>
      json(response, 200, {
        entries: [
          entry('z', 0o100644),
          entry('tmp', 0o041777),
          entry('<b>', 0o104755),
          entry('lib', 0o120777, 'usr/lib'),
          entry('null', 0o020666),
        ],
        more: true,
      }),
  });
  const { entries, more } = await client.call('files.list', { place: { container: 'c1' }, path: '/a b' });
  assert.equal(more, true);
  assert.deepEqual(
    entries.map(({ name, kind, permissions, target }) => [name, kind, permissions, target]),
    [
      ['tmp', 'folder', 'rwxrwxrwt', ''],
      ['<b>', 'file', 'rwsr-xr-x', ''],
      ['lib', 'link', 'rwxrwxrwx', 'usr/lib'],
      ['null', 'other', 'rw-rw-rw-', ''],
      ['z', 'file', 'rw-r--r--', ''],
    ],
  );
  assert.ok(engine.requests.includes('GET /wherry/v1/containers/c1/files?path=%2Fa+b'));
  assert.equal(permissionsOf(0o7000), '--S--S--T');
  await assert.rejects(client.call('files.list', { place: { container: 'c1' }, path: 'relative' }), {
    code: 'invalid-input',
  });
});

test('changes are told in words, and how many are not told', async (t) => {
  let answer: unknown = null;
  const { client } = await startHandlers(t, {
    'GET /containers/c1/changes': (_request, response) => json(response, 200, answer),
  });
  assert.deepEqual(await client.call('files.changes', { id: 'c1' }), { changes: [], more: 0 });
  answer = Array.from({ length: 5002 }, (_, index) => ({ Path: `/${index}`, Kind: index % 3 }));
  const { changes, more } = await client.call('files.changes', { id: 'c1' });
  assert.deepEqual(
    changes.slice(0, 3).map(({ kind }) => kind),
    ['modified', 'added', 'deleted'],
  );
  assert.deepEqual([changes.length, more], [5000, 2]);
});

test('a file is read from its beginning; what is no text says so, and a link leads to what it means', async (t) => {
  const long = 'é'.repeat(400_000);
  const { client } = await startHandlers(t, {
    'GET /containers/c1/archive': ({ url = '' }, response) => {
      const wanted = new URL(url, 'http://x').searchParams.get('path') ?? '';
      if (wanted === '/long') sendArchive(response, 'long', long);
      else if (wanted === '/empty') sendArchive(response, 'empty', '');
      else if (wanted === '/picture') sendArchive(response, 'picture', Buffer.from([0x89, 0x50, 0, 1]));
      else if (wanted === '/latin') sendArchive(response, 'latin', Buffer.from([0xe9, 0x20]));
      else if (wanted === '/link') sendArchive(response, 'link', '', { mode: linkBit + 0o777, linkTarget: '/empty' });
      else if (wanted === '/etc') sendArchive(response, 'etc', '', { mode: folderBit + 0o755 });
      else json(response, 404, { message: `Could not find the file ${wanted}` });
    },
  });
  const read = (path: string) => client.call('files.read', { place: { container: 'c1' }, path });
  const cut = await read('/long');
  assert.deepEqual([cut.sizeBytes, cut.more, cut.isText], [800_000, true, true]);
  assert.equal(cut.text, 'é'.repeat(256 * 1024));
  assert.deepEqual(await read('/empty'), { text: '', isText: true, sizeBytes: 0, more: false });
  assert.deepEqual(await read('/link'), await read('/empty'));
  assert.equal((await read('/picture')).isText, false);
  assert.equal((await read('/latin')).isText, false);
  await assert.rejects(read('/etc'), /it is not a file/);
  await assert.rejects(read('/none'), { code: 'not-found' });
});

test('a file comes as it is and a folder as an archive, as tasks', async (t) => {
  const content = Buffer.alloc(1_000_001, 'abc');
  const { client } = await startHandlers(t, {
    'GET /containers/c1/archive': ({ url = '' }, response) => {
      if (url.endsWith('path=%2Fetc')) sendArchive(response, 'etc', 'x', { mode: folderBit + 0o755 });
      else sendArchive(response, 'big', content);
    },
  });
  const fetched = async (path: string) => {
    const parts: Buffer[] = [];
    for await (const item of client.open('files.download', { place: { container: 'c1' }, path })) {
      if ('data' in item) parts.push(Buffer.from(item.data, 'base64'));
    }
    return Buffer.concat(parts);
  };
  assert.ok((await fetched('/var/big')).equals(content));
  const task = await taskOf(client, '/var/big', ({ state }) => state === 'done');
  assert.deepEqual(task.bytes, { done: content.length, total: content.length });
  assert.equal((await fetched('/etc')).subarray(257, 262).toString(), 'ustar');
});

test('a file is put in as an archive of one; what the engine refuses fails the task', async (t) => {
  let status = 200;
  const { engine, client } = await startHandlers(t, {
    'PUT /containers/c1/archive': (_request, response) =>
      status === 200
        ? response.writeHead(200).end()
        : json(response, status, { message: 'container rootfs is marked read-only' }),
  });
  const put = async (name: string, text: string) => {
    const stream = client.open('files.upload', {
      place: { container: 'c1' },
      folder: '/srv',
      name,
      sizeBytes: text.length,
    });
    if (text !== '') stream.send({ data: Buffer.from(text).toString('base64') });
    stream.send({ end: true });
    for await (const item of stream) assert.ok('taskId' in item || item.taken > 0);
  };
  await put('hello <b>.txt', 'over the water');
  await taskOf(client, '/srv/hello <b>.txt', ({ state }) => state === 'done');
  assert.ok(engine.requests.includes('PUT /containers/c1/archive?path=%2Fsrv'));
  const sent = engine.bodies.find((body) => typeof body === 'string' && body.includes('over the water'));
  assert.match(String(sent), /^hello <b>\.txt\0/);
  await put('empty', '');
  await taskOf(client, '/srv/empty', ({ state }) => state === 'done');
  status = 403;
  await put('no', 'x');
  const { error } = await taskOf(client, '/srv/no', ({ state }) => state === 'failed');
  assert.equal(error?.message, 'upload no: container rootfs is marked read-only');
  const outside = client.open('files.upload', {
    place: { container: 'c1' },
    folder: '/srv',
    name: '../x',
    sizeBytes: 0,
  });
  await assert.rejects(
    async () => {
      for await (const item of outside) assert.fail(JSON.stringify(item));
    },
    { code: 'invalid-input' },
  );
});

test('an upload is over when the file is there, not when all of it has gone', async (t) => {
  let finish: (() => void) | undefined;
  const { client } = await startHandlers(t, {
    'PUT /containers/c1/archive': (_request, response) => (finish = () => void response.writeHead(200).end()),
  });
  const stream = client.open('files.upload', { place: { container: 'c1' }, folder: '/', name: 'slow', sizeBytes: 3 });
  stream.send({ data: Buffer.from('abc').toString('base64') });
  stream.send({ end: true });
  let state = 'open';
  const read = (async () => {
    for await (const item of stream) assert.ok(item);
    state = 'over';
  })();
  await until(() => finish !== undefined);
  await settle();
  assert.equal(state, 'open');
  finish?.();
  await read;
  await taskOf(client, '/slow', (task) => task.state === 'done');
});

test('a text is put in the place of another with its owner and rights, unless it changed or would lose something', async (t) => {
  let content = 'old';
  let attributes: Record<string, string> = {};
  const { engine, client } = await startHandlers(t, {
    'GET /wherry/v1/volumes/vol/archive': (_request, response) => {
      const told = { name: 'app.conf', size: content.length, mode: 0o640, linkTarget: '' };
      response.writeHead(200, {
        'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(told)).toString('base64'),
      });
      const archive = pack();
      archive.entry(
        {
          name: 'app.conf',
          mode: 0o640,
          uid: 70,
          gid: 71,
          ...(Object.keys(attributes).length === 0 ? {} : { pax: attributes }),
        },
        content,
      );
      archive.finalize();
      archive.pipe(response);
    },
    'PUT /wherry/v1/volumes/vol/archive': (_request, response) => response.writeHead(200).end(),
  });
  const write = (text: string) =>
    client.call('files.write', { place: { volume: 'vol' }, path: '/etc/app.conf', before: 'old', text });
  await write('new text');
  assert.ok(engine.requests.includes('PUT /wherry/v1/volumes/vol/archive?path=%2Fetc'));
  const sent = String(engine.bodies.find((body) => typeof body === 'string' && body.includes('new text')));
  assert.equal(sent.slice(0, 8), 'app.conf');
  const number = (from: number) => Number.parseInt(sent.slice(from, from + 7), 8);
  assert.deepEqual([number(100), number(108), number(116)], [0o640, 70, 71]);
  content = 'other';
  await assert.rejects(write('x'), { code: 'conflict' });
  content = 'old';
  attributes = { 'SCHILY.xattr.user.mark': 'yes' };
  await assert.rejects(write('x'), /attributes that would be lost/);
  assert.equal(engine.requests.filter((request) => request.startsWith('PUT')).length, 1);
});
