import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { RegistryClient } from '../../../../../vm/agent/registry/client.ts';
import { MirroredSource } from '../../../../../vm/agent/registry/mirrors.ts';
import { openSource } from '../../../../../vm/agent/registry/open-source.ts';
import { parseReference } from '../../../../../vm/agent/registry/reference.ts';
import { Transport } from '../../../../../vm/agent/registry/transport.ts';
import { sendError, startScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import type { ScriptedRegistry } from '../../../../helpers/scripted-registry.ts';

const { signal } = new AbortController();

async function registries(t: TestContext): Promise<[ScriptedRegistry, ScriptedRegistry, ScriptedRegistry]> {
  const started = await Promise.all([startScriptedRegistry(), startScriptedRegistry(), startScriptedRegistry()]);
  for (const registry of started) t.after(() => registry[Symbol.asyncDispose]());
  return started;
}

function transportOf(t: TestContext, mirrors: readonly string[] = []): Transport {
  const transport = new Transport({ insecure: [], extraCa: [], mirrors }, { answerMs: 2000, stallMs: 2000 });
  t.after(() => transport.close());
  return transport;
}

/** The last is the registry itself. */
function sourceOf(t: TestContext, hosts: readonly ScriptedRegistry[]) {
  const transport = transportOf(t);
  const clients = hosts.map(({ host }) => {
    return new RegistryClient(transport, parseReference(`${host}/x`), undefined, { firstRetryMs: 1, maxAttempts: 1 });
  });
  const skipped: unknown[] = [];
  const registry = clients.pop();
  assert.ok(registry);
  return { source: new MirroredSource(clients, registry, (reason) => skipped.push(reason)), skipped };
}

test('the first mirror that has it gives all of it; the registry is not asked', async (t) => {
  const [down, mirror, registry] = await registries(t);
  const added = mirror.addImage('x:1', [[{ name: 'a' }]]);
  down.intercept = (_request, response) => {
    sendError(response, 503);
    return true;
  };
  const { source, skipped } = sourceOf(t, [down, mirror, registry]);
  assert.equal((await source.manifest('1', signal)).digest, added.manifestDigest);
  const size = mirror.blobs.get(added.configDigest)?.length ?? 0;
  await source.blob({ mediaType: 'x', digest: added.configDigest, size }, signal);
  assert.deepEqual([down.requests.length, registry.requests.length, skipped.length], [1, 0, 1]);
});

test('what no mirror has comes from the registry, whose word is the last', async (t) => {
  const [one, two, registry] = await registries(t);
  const added = registry.addImage('x:1', [[{ name: 'a' }]]);
  const { source } = sourceOf(t, [one, two, registry]);
  assert.equal((await source.manifest('1', signal)).digest, added.manifestDigest);
  await assert.rejects(source.manifest('2', signal), /manifest unknown/);
  assert.deepEqual([one.requests.length, two.requests.length, registry.requests.length], [1, 1, 2]);
});

test('a mirror that loses a blob or breaks off is passed over, once for all that fails at a time', async (t) => {
  const [one, two, registry] = await registries(t);
  const [first] = one.addImage('x:1', [[{ name: 'a', data: 'one' }]]).layers;
  assert.ok(first);
  const layer = { mediaType: 'x', digest: first.digest, size: first.size };
  for (const other of [two, registry]) other.addImage('x:1', [[{ name: 'a', data: 'one' }]]);
  const { source, skipped } = sourceOf(t, [one, two, registry]);
  await source.manifest('1', signal);
  one.blobs.clear();
  const opened = await Promise.all([source.open(layer, 0, signal), source.open(layer, 0, signal)]);
  for (const { chunks } of opened) for await (const chunk of chunks) assert.ok(chunk.length > 0);
  assert.equal(skipped.length, 1);
  assert.equal(registry.requests.length, 0);
  assert.equal(source.retryDelayMs(new Error('ended early'), 1), 0);
  assert.equal(source.retryDelayMs(new Error('ended early'), 1), undefined);
  await source.blob(layer, signal);
  assert.equal(registry.requests.length, 1);
});

test('a cancelled pull asks nobody else', async (t) => {
  const [one, two, registry] = await registries(t);
  const abort = new AbortController();
  one.intercept = () => {
    abort.abort(new Error('left'));
    return true;
  };
  const { source, skipped } = sourceOf(t, [one, two, registry]);
  await assert.rejects(source.manifest('1', abort.signal), /left/);
  assert.deepEqual([two.requests, registry.requests, skipped], [[], [], []]);
});

test('mirrors are for the default registry alone, and get no password', async (t) => {
  const [mirror, , other] = await registries(t);
  const transport = transportOf(t, [mirror.host]);
  const user = { username: 'sam', password: 'secret' };
  const sent: unknown[] = [];
  mirror.intercept = (request) => {
    sent.push(request.headers.authorization);
    return false;
  };
  mirror.addImage('library/x:1', [[{ name: 'a' }]]);
  await openSource(transport, parseReference('x'), user).manifest('1', signal);
  assert.deepEqual(mirror.requests, ['GET /v2/library/x/manifests/1']);
  assert.deepEqual(sent, [undefined]);
  other.addImage('x:1', [[{ name: 'a' }]]);
  await openSource(transport, parseReference(`${other.host}/x`), user).manifest('1', signal);
  assert.equal(mirror.requests.length, 1);
});
