/** Logins to registries: tried first, kept, sent where they belong, and never told. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { RegistriesView } from '../../../../src-main/contract/registries.ts';
import { json } from '../../../helpers/fake-engine.ts';
import { until } from '../../../helpers/handlers.ts';
import { startHandlers } from '../../../helpers/started-handlers.ts';
import { taskOf } from '../../../helpers/task-of.ts';

const secret = 'oars-and-sails';

const decode = (header: unknown): unknown =>
  typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) : undefined;

/** A registry that takes one password. */
function auth(_request: IncomingMessage, response: ServerResponse, body: string): void {
  const { password, registrytoken } = JSON.parse(body) as { password?: string; registrytoken?: string };
  if (password === secret || registrytoken === secret) json(response, 200, { Status: 'Login Succeeded' });
  else json(response, 401, { message: 'r.example: unauthorized: authentication required' });
}

test('a login is kept once the registry took it; what it refuses is not', async (t) => {
  const { client, engine } = await startHandlers(t, { 'POST /auth': auth });
  const views: RegistriesView[] = [];
  client.subscribe('registries', (view) => views.push(view));
  const wrong = { server: 'https://R.example/v2/', username: ' sam ', secret: 'wrong' };
  await assert.rejects(client.call('registries.login', wrong), {
    message: 'log in to r.example: r.example: unauthorized: authentication required',
    hint: 'Check the user name and the password.',
  });
  assert.deepEqual(views.at(-1)?.logins, []);
  assert.deepEqual(await client.call('registries.login', { ...wrong, secret }), { server: 'r.example' });
  await until(() => views.at(-1)?.logins.length === 1);
  assert.deepEqual(views.at(-1)?.logins[0], { server: 'r.example', username: 'sam', place: 'file', readable: true });
  assert.ok(!JSON.stringify(views).includes(secret));
  assert.deepEqual(engine.bodies.at(-1), { username: 'sam', password: secret, serveraddress: 'r.example' });
  await assert.rejects(client.call('registries.login', { server: 'no server', username: '', secret }), {
    code: 'invalid-input',
  });
});

test('a login is tested as it is kept, and is gone when it was removed', async (t) => {
  let down = false;
  const { client } = await startHandlers(t, {
    'POST /auth': (request, response, body) => {
      if (down) json(response, 500, { message: 'dial tcp: lookup r.example: no such host' });
      else auth(request, response, body);
    },
  });
  await client.call('registries.login', { server: 'r.example', username: 'sam', secret });
  await client.call('registries.test', { server: 'r.example' });
  down = true;
  await assert.rejects(client.call('registries.test', { server: 'r.example' }), {
    message: 'test the login to r.example: dial tcp: lookup r.example: no such host',
    hint: /this machine can reach it/,
  });
  await client.call('registries.logout', { server: 'r.example' });
  await assert.rejects(client.call('registries.test', { server: 'r.example' }), { code: 'not-found' });
});

test('tags and repositories are asked for with the login of their registry', async (t) => {
  const asked: unknown[] = [];
  const { client } = await startHandlers(t, {
    'POST /auth': auth,
    'GET /wherry/v1/registries/tags': (request, response) => {
      asked.push([request.url, decode(request.headers['x-registry-auth'])]);
      json(response, 200, { names: ['1', '2'], more: false });
    },
    'GET /wherry/v1/registries/repositories': (request, response) => {
      asked.push([request.url, decode(request.headers['x-registry-auth'])]);
      json(response, 401, { message: 'r.example: unauthorized: authentication required' });
    },
  });
  await client.call('registries.login', { server: 'r.example', username: 'sam', secret });
  assert.deepEqual(await client.call('registries.tags', { name: 'r.example/app:1' }), {
    names: ['1', '2'],
    more: false,
  });
  await client.call('registries.tags', { name: 'nginx' });
  await assert.rejects(client.call('registries.repositories', { server: 'r.example' }), {
    status: 401,
    hint: 'The registry wants a login, or tells nobody what it has.',
  });
  await client.call('registries.login', { server: '', username: 'hub', secret });
  await assert.rejects(client.call('registries.repositories', { server: 'intranet' }));
  const login = { username: 'sam', password: secret, serveraddress: 'r.example' };
  assert.deepEqual(asked, [
    ['/v1.47/wherry/v1/registries/tags?name=r.example%2Fapp', login],
    ['/v1.47/wherry/v1/registries/tags?name=nginx', undefined],
    ['/v1.47/wherry/v1/registries/repositories?server=r.example', login],
    // Not the default registry's login.
    ['/v1.47/wherry/v1/registries/repositories?server=intranet', undefined],
  ]);
});

test('a search asks the registry in front of the slash, with its login; without a search it is said', async (t) => {
  const asked: unknown[] = [];
  const { client } = await startHandlers(t, {
    'POST /auth': auth,
    'GET /images/search': (request, response) => {
      asked.push([request.url, decode(request.headers['x-registry-auth'])]);
      const term = new URL(request.url ?? '', 'http://engine').searchParams.get('term') ?? '';
      if (term.startsWith('none.example')) json(response, 404, { message: 'none.example: 404 Not Found' });
      else if (term === 'away') json(response, 500, { message: 'docker.io: connect ECONNREFUSED' });
      else if (term === 'closed') json(response, 401, { message: 'docker.io: unauthorized' });
      else
        json(response, 200, [{ name: 'team/app', description: null, star_count: 3, is_official: true }, { name: 'b' }]);
    },
  });
  await client.call('registries.login', { server: 'r.example', username: 'sam', secret });
  assert.deepEqual(await client.call('registries.search', { term: ' r.example/app ' }), [
    { name: 'r.example/team/app', description: '', stars: 3, official: true },
    { name: 'r.example/b', description: '', stars: 0, official: false },
  ]);
  const [first] = await client.call('registries.search', { term: 'app' });
  assert.equal(first?.name, 'team/app');
  assert.deepEqual(asked, [
    [
      '/v1.47/images/search?term=r.example%2Fapp&limit=50',
      { username: 'sam', password: secret, serveraddress: 'r.example' },
    ],
    ['/v1.47/images/search?term=app&limit=50', undefined],
  ]);
  await assert.rejects(client.call('registries.search', { term: 'none.example/x' }), {
    code: 'not-found',
    message: 'search none.example: this registry has no search',
    hint: /Browse what it has/,
  });
  await assert.rejects(client.call('registries.search', { term: 'away' }), { hint: /this machine can reach it/ });
  await assert.rejects(client.call('registries.search', { term: 'closed' }), { hint: /wants a login/ });
  await assert.rejects(client.call('registries.search', { term: 'none.example/' }), { code: 'invalid-input' });
});

test('a login that was given up while the registry thought about it is not kept', async (t) => {
  let answer: (() => void) | undefined;
  const { client } = await startHandlers(t, {
    'POST /auth': (_request, response) => {
      answer = () => json(response, 200, { Status: 'Login Succeeded' });
    },
  });
  let view: RegistriesView | undefined;
  client.subscribe('registries', (value) => (view = value));
  const abort = new AbortController();
  const asked = client.call('registries.login', { server: 'r.example', username: 'sam', secret }, abort.signal);
  await until(() => answer !== undefined);
  abort.abort();
  await assert.rejects(asked, { code: 'cancelled' });
  // The host has heard of it once it answers this.
  await client.call('app.info', {});
  answer?.();
  await client.call('app.info', {});
  assert.deepEqual(view?.logins, []);
});

test('pulls and pushes carry the login of their registry alone, builds all of them', async (t) => {
  const sent: { url: string; auth: unknown; config: unknown }[] = [];
  const note = (request: IncomingMessage, response: ServerResponse) => {
    const { 'x-registry-auth': one, 'x-registry-config': all } = request.headers;
    sent.push({ url: request.url ?? '', auth: decode(one), config: decode(all) });
    response.end('{"status":"done"}\n');
  };
  const { client } = await startHandlers(t, {
    'POST /auth': auth,
    'POST /images/create': note,
    'POST /images/r.example/app/push': note,
    'POST /build': note,
  });
  await client.call('registries.login', { server: 'r.example', username: 'sam', secret });
  await client.call('registries.login', { server: '', username: '', secret });
  const forOne = { username: 'sam', password: secret, serveraddress: 'r.example' };
  const forDefault = { registrytoken: secret, serveraddress: '' };
  for (const [reference, expected] of [
    ['r.example/app:1', forOne],
    ['nginx:1', forDefault],
    ['other.example/app:1', undefined],
  ] as const) {
    await client.call('images.pull', { reference });
    await taskOf(client, reference, ({ state }) => state === 'done');
    assert.deepEqual(sent.at(-1)?.auth, expected, reference);
  }
  await client.call('images.push', { reference: 'r.example/app:2' });
  await taskOf(client, 'r.example/app:2', ({ state }) => state === 'done');
  assert.deepEqual(sent.at(-1)?.auth, forOne);
  const build = client.open('images.build', {
    reference: 'mine:1',
    dockerfile: 'Dockerfile',
    target: '',
    arguments: {},
    noCache: false,
    pull: false,
    sizeBytes: 0,
  });
  build.send({ end: true });
  const task = await taskOf(client, 'mine:1', ({ state }) => state === 'done');
  assert.deepEqual(sent.at(-1)?.config, { 'docker.io': forDefault, 'r.example': forOne });
  assert.ok(!JSON.stringify(task).includes(secret));
});
