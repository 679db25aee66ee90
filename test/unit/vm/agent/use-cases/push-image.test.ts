/** Pushing to Debian's docker-registry, and to one that refuses and fails. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Credentials } from '../../../../../vm/agent/registry/auth.ts';
import { parseReference, withDefaultTag } from '../../../../../vm/agent/registry/reference.ts';
import { importImage } from '../../../../../vm/agent/use-cases/import-image.ts';
import type { ProgressLine } from '../../../../../vm/agent/use-cases/pull-progress.ts';
import { pushImage } from '../../../../../vm/agent/use-cases/push-image.ts';
import { removeImage } from '../../../../../vm/agent/use-cases/remove-image.ts';
import { cannotUnpack, leftovers, openTestStore } from '../../../../helpers/image-store.ts';
import type { TestStore } from '../../../../helpers/image-store.ts';
import { startRegistry } from '../../../../helpers/registry.ts';
import type { Registry } from '../../../../helpers/registry.ts';
import { sendError, startScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import type { ScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import { tar } from '../../../../helpers/tar.ts';

const never = new AbortController().signal;
const user = { username: 'user', password: 'secret' };

async function storeWith(t: TestContext, host: string, ...names: string[]): Promise<TestStore> {
  const store = await openTestStore();
  t.after(() => store[Symbol.asyncDispose]());
  for (const name of names) {
    const [repository = '', tag = ''] = name.split(':');
    const request = { repository: `${host}/${repository}`, tag, message: '', changes: [], platform: undefined };
    const layer = tar({ name: 'f', data: `content of ${repository}`.repeat(20_000) });
    await importImage(store.parts, request, Readable.from([layer]), never);
  }
  return store;
}

async function push(
  store: TestStore,
  name: string,
  options: { credentials?: Credentials; signal?: AbortSignal; lines?: ProgressLine[] } = {},
): Promise<ProgressLine[]> {
  const lines = options.lines ?? [];
  const request = { reference: parseReference(name), credentials: options.credentials };
  await pushImage(store.parts, request, (line) => lines.push(line), options.signal ?? never);
  return lines;
}

const said = (lines: readonly ProgressLine[]): string[] => lines.map(({ status }) => status ?? '');

describe('to a real registry', { skip: cannotUnpack }, () => {
  let registry: Registry;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());

  test('layers, configuration and manifest arrive, and can be pulled again', async (t) => {
    const name = `${registry.host}/app:1`;
    const store = await storeWith(t, registry.host, 'app:1');
    const lines = await push(store, name);
    assert.equal(lines[0]?.status, `The push refers to repository [${registry.host}/app]`);
    assert.ok(said(lines).includes('Pushed'), said(lines).join());
    const pushing = lines.filter(({ status }) => status === 'Pushing').at(-1);
    assert.match(pushing?.progress ?? '', /^\[=*>? *\] /);
    const [status, aux] = lines.slice(-2);
    const { Digest, Size, Tag } = aux?.aux as { Digest: string; Size: number; Tag: string };
    assert.equal(Tag, '1');
    assert.equal(status?.status, `1: digest: ${Digest} size: ${Size}`);
    const [image] = store.parts.records.all();
    assert.ok(image);
    const digests = store.parts.records.namesOf(image.id).filter(({ kind }) => kind === 'digest');
    assert.deepEqual(
      digests.map(({ path, value }) => [path, value]),
      [['app', Digest]],
    );
    await removeImage(store.parts, name, { force: false });
    assert.deepEqual(store.parts.records.all(), []);
    await store.pull(name);
    assert.equal(store.parts.records.all()[0]?.id, image.id);
    assert.deepEqual(leftovers(store), []);
  });

  test('what is there is not sent again, what a sibling has is mounted, all tags go when none is named', async (t) => {
    const store = await storeWith(t, registry.host, 'twice:1');
    await push(store, `${registry.host}/twice:1`);
    assert.ok(said(await push(store, `${registry.host}/twice:1`)).includes('Layer already exists'));
    const [image] = store.parts.records.all();
    const other = withDefaultTag(parseReference(`${registry.host}/sibling:a`));
    for (const value of ['a', 'b']) {
      const key = { domain: other.domain, path: other.path, kind: 'tag', value } as const;
      store.parts.records.setName({ ...key, imageId: image?.id ?? '', namedAtMs: 1 });
    }
    const lines = await push(store, `${registry.host}/sibling`);
    assert.ok(said(lines).includes('Mounted from twice'), said(lines).join());
    assert.deepEqual(
      lines.flatMap(({ aux }) => (aux === undefined ? [] : [(aux as { Tag: string }).Tag])),
      ['a', 'b'],
    );
    const tags = (await (await fetch(`${registry.url}/v2/sibling/tags/list`)).json()) as { tags: string[] };
    assert.deepEqual(tags.tags.sort(), ['a', 'b']);
  });
});

describe('to a registry that refuses', { skip: cannotUnpack }, () => {
  /** Takes uploads once `allow` says so; remembers what it got. */
  async function start(
    t: TestContext,
    allow: (request: IncomingMessage, response: ServerResponse) => boolean,
  ): Promise<{ registry: ScriptedRegistry; got: Map<string, Buffer> }> {
    const registry = await startScriptedRegistry();
    t.after(() => registry[Symbol.asyncDispose]());
    const got = new Map<string, Buffer>();
    registry.intercept = async (request, response) => {
      const chunks: Buffer[] = [];
      if (!allow(request, response)) return true;
      try {
        for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      } catch {
        return true; // cut off
      }
      const url = new URL(request.url ?? '', registry.url);
      if (request.method === 'HEAD') response.writeHead(404).end();
      else if (request.method === 'POST')
        response.writeHead(202, { Location: '/v2/app/blobs/uploads/1?state=x' }).end();
      else if (request.method === 'PUT') {
        got.set(url.searchParams.get('digest') ?? url.pathname, Buffer.concat(chunks));
        response.writeHead(201).end();
      } else return false;
      return true;
    };
    return { registry, got };
  }

  test('no credentials, wrong ones, and right ones', async (t) => {
    const right = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    const { registry, got } = await start(t, (request, response) => {
      if (request.headers.authorization === right) return true;
      sendError(response, 401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="test"' });
      return false;
    });
    const store = await storeWith(t, registry.host, 'app:1');
    const name = `${registry.host}/app:1`;
    await assert.rejects(push(store, name), /unauthorized|no basic auth credentials/);
    await assert.rejects(push(store, name, { credentials: { ...user, password: 'wrong' } }), /unauthorized/);
    assert.equal(got.size, 0);
    await push(store, name, { credentials: user });
    const [image] = store.parts.records.all();
    assert.ok(image && got.has(image.id) && got.has('/v2/app/manifests/1'));
    assert.equal(got.get(image.layers[0]?.blobDigest ?? '')?.length, image.layers[0]?.blobBytes);
  });

  test('a denial is told as such, and no name is remembered', async (t) => {
    const { registry } = await start(t, (request, response) => {
      if (request.method === 'HEAD') return true;
      sendError(response, 403, 'DENIED');
      return false;
    });
    const store = await storeWith(t, registry.host, 'app:1');
    await assert.rejects(push(store, `${registry.host}/app:1`), /^EngineError: denied/);
    assert.deepEqual(
      store.parts.records.names().filter(({ kind }) => kind === 'digest'),
      [],
    );
  });

  test('an upload that fails once is sent again', async (t) => {
    let failures = 0;
    const { registry, got } = await start(t, (request, response) => {
      if (request.method !== 'PUT' || failures === 1) return true;
      failures += 1;
      request.resume();
      sendError(response, 503);
      return false;
    });
    const store = await storeWith(t, registry.host, 'app:1');
    await push(store, `${registry.host}/app:1`);
    assert.equal(failures, 1);
    assert.equal(got.size, 3);
  });

  test('a client that leaves ends it', async (t) => {
    const leaving = new AbortController();
    const { registry } = await start(t, (request) => {
      if (request.method !== 'PUT') return true;
      leaving.abort(new Error('left'));
      return false; // and never an answer
    });
    const store = await storeWith(t, registry.host, 'app:1');
    await assert.rejects(push(store, `${registry.host}/app:1`, { signal: leaving.signal }), /left/);
  });

  test('images that are not there', async (t) => {
    const store = await storeWith(t, 'localhost:1', 'app:1');
    const lines: ProgressLine[] = [];
    await assert.rejects(
      push(store, 'localhost:1/nobody:1', { lines }),
      /An image does not exist locally with the tag: localhost:1\/nobody$/,
    );
    assert.deepEqual(said(lines), ['The push refers to repository [localhost:1/nobody]']);
    await assert.rejects(push(store, 'localhost:1/app:2'), /tag does not exist: localhost:1\/app:2/);
    await assert.rejects(push(store, 'localhost:1/app:1'), /connection refused/);
  });
});
