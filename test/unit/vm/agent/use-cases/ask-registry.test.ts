import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  checkLogin,
  listRepositories,
  listTags,
  searchImages,
} from '../../../../../vm/agent/use-cases/ask-registry.ts';
import { inspectDistribution } from '../../../../../vm/agent/use-cases/inspect-distribution.ts';
import { systemDf } from '../../../../../vm/agent/use-cases/system-df.ts';
import { makeEngine, testImage } from '../../../../helpers/engine-parts.ts';
import { cannotUnpack, openTestStore } from '../../../../helpers/image-store.ts';
import type { TestStore } from '../../../../helpers/image-store.ts';
import { sam, startRegistry } from '../../../../helpers/registry.ts';
import { sendError, startScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import type { ScriptedRegistry } from '../../../../helpers/scripted-registry.ts';

const never = new AbortController().signal;

async function lab(t: TestContext): Promise<{ registry: ScriptedRegistry; store: TestStore }> {
  const registry = await startScriptedRegistry();
  t.after(() => registry[Symbol.asyncDispose]());
  const store = await openTestStore();
  t.after(() => store[Symbol.asyncDispose]());
  return { registry, store };
}

test('a login is tried with the registry', async (t) => {
  const { registry, store } = await lab(t);
  const right = `Basic ${Buffer.from('user:secret').toString('base64')}`;
  registry.intercept = (request, response) => {
    if (request.url === '/v2/' && request.headers.authorization === right) response.writeHead(200).end('{}');
    else sendError(response, 401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="test"' });
    return true;
  };
  const login = (password: string, address = registry.host): Promise<void> =>
    checkLogin(store.parts, address, { username: 'user', password }, never);
  await login('secret');
  await login('secret', `http://${registry.host}/v1/`);
  await assert.rejects(login('wrong'), /unauthorized/);
  await assert.rejects(login('secret', 'localhost:1'), /connection refused/);
  await assert.rejects(login('secret', 'no host'), /invalid registry address/);
});

test('a registry that can search is searched, one that cannot is named', async (t) => {
  const { registry, store } = await lab(t);
  const results = [
    { name: 'library/nginx', description: null, star_count: 20, is_official: true },
    { name: 'me/nginx', description: 'mine', star_count: 1 },
  ];
  let isAble = true;
  registry.intercept = (request, response) => {
    if (!isAble) return false;
    assert.equal(request.url, '/v1/search?q=nginx%20x&n=5');
    response.writeHead(200).end(JSON.stringify({ results }));
    return true;
  };
  const search = async (official: boolean | undefined, minStars = 0): Promise<string[]> => {
    const request = { term: `${registry.host}/nginx x`, limit: 5, official, minStars };
    return (await searchImages(store.parts, request, undefined, never)).map(({ name }) => name);
  };
  assert.deepEqual(await search(undefined), ['library/nginx', 'me/nginx']);
  assert.deepEqual(await search(true), ['library/nginx']);
  assert.deepEqual(await search(undefined, 2), ['library/nginx']);
  isAble = false;
  await assert.rejects(search(undefined), new RegExp(`${registry.host}: .*(unknown|404)`));
});

test('what a name stands for is told without pulling it', async (t) => {
  const { registry, store } = await lab(t);
  const image = registry.addImage('app:1', [[{ name: 'f', data: 'f' }]]);
  const inspect = (name: string): Promise<object> =>
    inspectDistribution(store.parts, `${registry.host}/${name}`, undefined, never);
  assert.deepEqual(await inspect('app:1'), {
    Descriptor: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: image.manifestDigest,
      size: image.manifestSize,
    },
    Platforms: [{ architecture: 'amd64', os: 'linux' }],
  });
  const platform = { architecture: 'arm64', os: 'linux', variant: 'v8' };
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', size: image.manifestSize };
  const manifests = [{ ...entry, digest: image.manifestDigest, platform }];
  registry.addManifest('app:many', { schemaVersion: 2, mediaType, manifests }, mediaType);
  const many = (await inspect('app:many')) as { Platforms: object };
  assert.deepEqual(many.Platforms, [platform]);
  await assert.rejects(inspect('app:none'), /manifest unknown/);
  assert.deepEqual(store.parts.records.all(), []);
});

test('disk use: what layers share, who uses what', { skip: cannotUnpack }, async (t) => {
  const { registry, store } = await lab(t);
  const shared = [{ name: 'base', data: 'x'.repeat(1000) }];
  registry.addImage('one:1', [shared, [{ name: 'one', data: 'y'.repeat(10) }]]);
  registry.addImage('two:1', [shared, [{ name: 'two', data: 'z'.repeat(5) }]], { labels: { a: 'b' } });
  await store.pull(`${registry.host}/one:1`);
  await store.pull(`${registry.host}/two:1`);
  const engine = await makeEngine(t);
  await engine.create('box', { HostConfig: { Binds: ['vol:/v'] } });
  const all = (await systemDf(
    engine.parts,
    store.parts,
    new Set(['image', 'container', 'volume', 'build-cache'] as const),
  )) as {
    LayersSize: number;
    Images: { Size: number; SharedSize: number; Containers: number }[];
    Containers: { SizeRw: number; ImageID: string }[];
    Volumes: { Name: string; UsageData: object }[];
    BuildCache: object[];
  };
  assert.equal(all.LayersSize, 1015);
  assert.deepEqual(all.Images.map(({ Size, SharedSize, Containers }) => [Size, SharedSize, Containers]).sort(), [
    [1005, 1000, 0],
    [1010, 1000, 0],
  ]);
  assert.deepEqual(
    all.Containers.map(({ ImageID }) => ImageID),
    [testImage.id],
  );
  assert.deepEqual(
    all.Volumes.map(({ Name, UsageData }) => [Name, UsageData]),
    [['vol', { RefCount: 1, Size: 0 }]],
  );
  assert.deepEqual(all.BuildCache, []);
  const some = (await systemDf(engine.parts, store.parts, new Set(['volume'] as const))) as { Images: unknown };
  assert.equal(some.Images, null);
});

/** A registry with `total` names, given in pages no longer than `most`. */
function paged(registry: ScriptedRegistry, field: 'tags' | 'repositories', total: number, most = 1000): void {
  registry.intercept = (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const from = Number(url.searchParams.get('last')?.slice(1) ?? -1) + 1;
    const until = Math.min(total, from + Math.min(most, Number(url.searchParams.get('n'))));
    const names = Array.from({ length: until - from }, (_, at) => `n${from + at}`);
    url.searchParams.set('last', `n${until - 1}`);
    const link = until < total ? { Link: `<${url.pathname}${url.search}>; rel="next"` } : {};
    response.writeHead(200, link).end(JSON.stringify({ name: 'x', [field]: names }));
    return true;
  };
}

test('tags and repositories come page by page, and are bounded', async (t) => {
  const { registry, store } = await lab(t);
  paged(registry, 'tags', 2500);
  const tags = await listTags(store.parts, `${registry.host}/team/app:1`, undefined, never);
  assert.deepEqual([tags.names.length, tags.names.at(-1), tags.more], [2500, 'n2499', false]);
  assert.equal(registry.requests.length, 3);
  assert.equal(registry.requests[0], 'GET /v2/team/app/tags/list?n=1000');
  paged(registry, 'repositories', 10_001);
  const repositories = await listRepositories(store.parts, registry.host, undefined, never);
  assert.deepEqual([repositories.names.length, repositories.more], [10_000, true]);
  registry.requests.length = 0;
  paged(registry, 'repositories', 10_001, 7);
  const few = await listRepositories(store.parts, registry.host, undefined, never);
  assert.deepEqual([few.names.length, few.more, registry.requests.length], [350, true, 50]);
});

test('a registry that runs in circles, points elsewhere or sends no names is put up with', async (t) => {
  const { registry, store } = await lab(t);
  const list = () => listTags(store.parts, `${registry.host}/app`, undefined, never);
  const answer = (body: string, link?: string): void => {
    registry.intercept = (_request, response) => {
      response.writeHead(200, link === undefined ? {} : { Link: link }).end(body);
      return true;
    };
  };
  answer('{"tags":["1"]}', '</v2/app/tags/list?n=1000>; rel="next"');
  assert.deepEqual(await list(), { names: ['1'], more: false });
  answer('{"tags":null}');
  assert.deepEqual(await list(), { names: [], more: false });
  answer('{"tags":["ok","<b>","../x",""]}');
  assert.deepEqual((await list()).names, ['ok']);
  registry.requests.length = 0;
  answer('{"tags":["1"]}', '<http://elsewhere.example/v2/app/tags/list?last=1>; rel="next"');
  await list();
  assert.deepEqual(registry.requests.slice(0, 2), ['GET /v2/app/tags/list?n=1000', 'GET /v2/app/tags/list?last=1']);
  answer('{"tags":7}');
  await assert.rejects(list(), /sent a malformed list of tags/);
  answer('no JSON');
  await assert.rejects(list(), /sent a malformed list of tags/);
  registry.intercept = (_request, response) => {
    sendError(response, 404, 'NAME_UNKNOWN');
    return true;
  };
  await assert.rejects(list(), { code: 'not-found' });
  await assert.rejects(listRepositories(store.parts, 'no host', undefined, never), { code: 'invalid-parameter' });
});

test('lists are for those who may read them', async (t) => {
  const { registry, store } = await lab(t);
  const right = `Basic ${Buffer.from('user:secret').toString('base64')}`;
  registry.intercept = (request, response) => {
    if (request.headers.authorization === right) response.writeHead(200).end('{"repositories":["team/app"]}');
    else sendError(response, 401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="test"' });
    return true;
  };
  const user = { username: 'user', password: 'secret' };
  assert.deepEqual((await listRepositories(store.parts, registry.host, user, never)).names, ['team/app']);
  await assert.rejects(listRepositories(store.parts, registry.host, undefined, never), { code: 'unauthorized' });
  const abort = new AbortController();
  registry.intercept = () => {
    abort.abort(new Error('left'));
    return true;
  };
  await assert.rejects(listRepositories(store.parts, registry.host, user, abort.signal), /left/);
});

test('Debian’s registry tells what it has to who may know', async () => {
  await using registry = await startRegistry({ 'crew/box:1': 'busybox', 'crew/box:2': 'busybox' }, sam);
  await using store = await openTestStore();
  const user = { username: sam.user, password: sam.password };
  await checkLogin(store.parts, registry.host, user, never);
  await assert.rejects(checkLogin(store.parts, registry.host, { ...user, password: 'no' }, never), {
    code: 'unauthorized',
  });
  const tags = (credentials?: typeof user) => listTags(store.parts, `${registry.host}/crew/box`, credentials, never);
  const { names, more } = await tags(user);
  assert.deepEqual([names.sort(), more], [['1', '2'], false]);
  await assert.rejects(tags(), { code: 'unauthorized' });
  assert.deepEqual((await listRepositories(store.parts, registry.host, user, never)).names, ['crew/box']);
  await assert.rejects(listTags(store.parts, `${registry.host}/crew/none`, user, never), { code: 'not-found' });
});
