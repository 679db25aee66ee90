import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { parseChallenges, parseRegistryAuth } from '../../../../../vm/agent/registry/auth.ts';
import type { Credentials } from '../../../../../vm/agent/registry/auth.ts';
import { RegistryClient } from '../../../../../vm/agent/registry/client.ts';
import { dialAddress, proxyFor, refuseHop } from '../../../../../vm/agent/registry/network.ts';
import type { RegistryNetwork } from '../../../../../vm/agent/registry/network.ts';
import { parseReference } from '../../../../../vm/agent/registry/reference.ts';
import { Transport } from '../../../../../vm/agent/registry/transport.ts';
import { digestOf, sendBlob, sendError, startScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import type { ScriptedRegistry } from '../../../../helpers/scripted-registry.ts';

const { signal } = new AbortController();
const network: RegistryNetwork = { insecure: [], extraCa: [] };

function clientOf(
  t: TestContext,
  registry: { host: string },
  credentials?: Credentials,
  use = network,
): RegistryClient {
  const transport = new Transport(use, { answerMs: 2000, stallMs: 2000 });
  t.after(() => transport.close());
  return new RegistryClient(transport, parseReference(`${registry.host}/team/x`), credentials, { firstRetryMs: 1 });
}

/** Tokens are numbered; each is good for `uses` requests. */
function askForTokens(
  registry: ScriptedRegistry,
  options: { uses: number; password?: string },
): { tokenRequests: string[] } {
  const tokenRequests: string[] = [];
  let [issued, left] = [0, 0];
  registry.intercept = (request, response) => {
    if (request.url?.startsWith('/token') === true) {
      tokenRequests.push(`${request.method ?? ''} ${request.url} ${request.headers.authorization ?? '-'}`);
      const expected = options.password === undefined ? undefined : basic('me', options.password);
      if (expected !== undefined && request.headers.authorization !== expected) {
        sendError(response, 401, 'UNAUTHORIZED');
        return true;
      }
      [issued, left] = [issued + 1, options.uses];
      response.end(JSON.stringify({ token: `token-${issued}` }));
      return true;
    }
    if (request.headers.authorization === `Bearer token-${issued}` && left > 0) {
      left -= 1;
      return false;
    }
    const challenge = `Bearer realm="${registry.url}/token",service="the, registry",scope="repository:team/x:pull"`;
    sendError(response, 401, 'UNAUTHORIZED', { 'WWW-Authenticate': challenge });
    return true;
  };
  return { tokenRequests };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

test('a token is fetched, used again, and renewed when it is refused', async (t) => {
  await using registry = await startScriptedRegistry();
  registry.addImage('team/x:1', [[{ name: 'a' }]]);
  const { tokenRequests } = askForTokens(registry, { uses: 2 });
  const client = clientOf(t, registry);
  for (let round = 0; round < 5; round += 1) await client.manifest('1', signal);
  const asked = 'GET /token?service=the%2C+registry&scope=repository%3Ateam%2Fx%3Apull -';
  assert.deepEqual(tokenRequests, [asked, asked, asked]);
});

test("a token is asked for with the user's password; a wrong one is told as such", async (t) => {
  await using registry = await startScriptedRegistry();
  registry.addImage('team/x:1', [[{ name: 'a' }]]);
  const { tokenRequests } = askForTokens(registry, { uses: 10, password: 'right' });
  await clientOf(t, registry, { username: 'me', password: 'right' }).manifest('1', signal);
  assert.match(tokenRequests[0] ?? '', /account=me/);
  await assert.rejects(clientOf(t, registry, { username: 'me', password: 'wrong' }).manifest('1', signal), {
    code: 'unauthorized',
  });
});

test('an identity token is exchanged by POST, a registry token is used as it is', async (t) => {
  await using registry = await startScriptedRegistry();
  registry.addImage('team/x:1', [[{ name: 'a' }]]);
  const { tokenRequests } = askForTokens(registry, { uses: 10 });
  await clientOf(t, registry, { identityToken: 'refresh' }).manifest('1', signal);
  assert.match(tokenRequests[0] ?? '', /^POST \/token -/);
  await clientOf(t, registry, { registryToken: 'token-1' }).manifest('1', signal);
  assert.equal(tokenRequests.length, 1);
  await assert.rejects(clientOf(t, registry, { registryToken: 'stale' }).manifest('1', signal), /unauthorized/);
});

test('basic authentication, and no endless asking', async (t) => {
  await using registry = await startScriptedRegistry();
  registry.addImage('team/x:1', [[{ name: 'a' }]]);
  registry.intercept = (request, response) => {
    if (request.headers.authorization === basic('me', 'pass:word')) return false;
    sendError(response, 401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="x"' });
    return true;
  };
  await clientOf(t, registry, { username: 'me', password: 'pass:word' }).manifest('1', signal);
  registry.requests.length = 0;
  await assert.rejects(clientOf(t, registry, { username: 'me', password: 'no' }).manifest('1', signal), {
    status: 401,
  });
  await assert.rejects(clientOf(t, registry).manifest('1', signal), { status: 401 });
  assert.equal(registry.requests.length, 3);
});

test('a redirect is followed without the password, and not for ever', async (t) => {
  await using registry = await startScriptedRegistry();
  await using storage = await startScriptedRegistry();
  const blob = Buffer.from('content');
  const descriptor = { mediaType: 'x', digest: digestOf(blob), size: blob.length };
  const seen: (string | undefined)[] = [];
  storage.intercept = (request, response) => {
    seen.push(request.headers.authorization);
    sendBlob(response, blob, request.headers.range);
    return true;
  };
  registry.intercept = (request, response) => {
    if (request.headers.authorization === undefined)
      sendError(response, 401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="x"' });
    else response.writeHead(307, { Location: `${storage.url}/stored` }).end();
    return true;
  };
  const client = clientOf(t, registry, { username: 'me', password: 'secret' });
  assert.equal((await client.blob(descriptor, signal)).toString(), 'content');
  const part = await client.open(descriptor, 3, signal);
  assert.equal(part.offset, 3);
  let text = '';
  for await (const chunk of part.chunks) text += chunk.toString();
  assert.equal(text, 'tent');
  assert.deepEqual(seen, [undefined, undefined]);
  registry.intercept = (request, response) => {
    response.writeHead(302, { Location: request.url }).end();
    return true;
  };
  await assert.rejects(client.blob(descriptor, signal), /redirects in circles/);
  for (const location of ['file:///etc/passwd', 'http://example.com/x']) {
    registry.intercept = (_request, response) => {
      response.writeHead(302, { Location: location }).end();
      return true;
    };
    await assert.rejects(client.blob(descriptor, signal), { code: 'forbidden' });
  }
});

test('registries elsewhere may not lead to this machine, nor away from TLS', () => {
  const far = new URL('https://registry.example.com/v2/');
  assert.match(refuseHop(far, new URL('http://localhost:2375/'), network) ?? '', /points to this machine/);
  assert.match(refuseHop(far, new URL('https://127.0.0.1/'), network) ?? '', /points to this machine/);
  assert.match(refuseHop(far, new URL('https://[::1]/'), network) ?? '', /points to this machine/);
  assert.match(refuseHop(far, new URL('http://cdn.example.com/'), network) ?? '', /not encrypted/);
  assert.equal(refuseHop(far, new URL('https://cdn.example.com/'), network), undefined);
  assert.equal(
    refuseHop(far, new URL('http://cdn.example.com/'), { ...network, insecure: ['cdn.example.com'] }),
    undefined,
  );
  assert.equal(refuseHop(new URL('http://localhost:5000'), new URL('http://127.0.0.1:9000'), network), undefined);
});

test("the user's loopback is behind the gateway, with the name the user gave it", async (t) => {
  assert.equal(dialAddress('localhost', { ...network, hostGateway: '10.0.2.2' }), '10.0.2.2');
  assert.equal(dialAddress('127.1.2.3', { ...network, hostGateway: '10.0.2.2' }), '10.0.2.2');
  assert.equal(dialAddress('[::1]', { ...network, hostGateway: '10.0.2.2' }), '10.0.2.2');
  assert.equal(dialAddress('example.com', { ...network, hostGateway: '10.0.2.2' }), 'example.com');
  await using registry = await startScriptedRegistry();
  registry.addImage('team/x:1', [[{ name: 'a' }]]);
  let host: string | undefined;
  registry.intercept = (request) => {
    host = request.headers.host;
    return false;
  };
  const named = registry.host.replace('localhost', '127.99.99.99');
  await clientOf(t, { host: named }, undefined, { ...network, hostGateway: '127.0.0.1' }).manifest('1', signal);
  assert.equal(host, named);
});

test('the proxy is used where it should be', async (t) => {
  const proxy = { http: 'http://proxy:3128', https: 'proxy:3129', no: 'internal.example,.corp, 10.1.2.3' };
  const chosen = (url: string): string | undefined => proxyFor(new URL(url), { ...network, proxy })?.host;
  assert.equal(chosen('https://example.com'), 'proxy:3129');
  assert.equal(chosen('http://example.com'), 'proxy:3128');
  for (const url of [
    'https://localhost',
    'https://internal.example',
    'https://a.internal.example',
    'https://x.corp',
    'https://10.1.2.3',
  ]) {
    assert.equal(chosen(url), undefined, url);
  }
  await using registry = await startScriptedRegistry();
  registry.addImage('team/x:1', [[{ name: 'a' }]]);
  const tunnels: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    tunnels.push(request.url);
    response.writeHead(502).end();
  });
  server.on('connect', (request: IncomingMessage, socket, head: Buffer) => {
    tunnels.push(`CONNECT ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`);
    const through = connect(Number(registry.host.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      through.write(head);
      through.pipe(socket).pipe(through);
    });
    for (const end of [through, socket]) end.on('error', () => end.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = `http://u:p@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const far = { ...network, proxy: { http: address, https: address } };
  // Behind the proxy is no TLS: the handshake fails, which shows that it went through the tunnel.
  await assert.rejects(
    clientOf(t, { host: 'far.example' }, undefined, far).manifest('1', signal),
    /Get "https:\/\/far.example\/v2\/": .*(SSL|version)/i,
  );
  assert.deepEqual([...new Set(tunnels)], [`CONNECT far.example:443 ${basic('u', 'p')}`]);
  const plain = { ...far, insecure: ['far.example'] };
  await assert.rejects(clientOf(t, { host: 'far.example' }, undefined, plain).manifest('1', signal), { status: 502 });
  assert.equal(tunnels.at(-1), 'http://far.example/v2/team/x/manifests/1');
});

test('challenges and credentials as clients and servers write them', () => {
  assert.deepEqual(parseChallenges('Bearer realm="https://a/t",service="s",scope="a:b:pull,push", Basic realm=x'), [
    { scheme: 'bearer', parameters: { realm: 'https://a/t', service: 's', scope: 'a:b:pull,push' } },
    { scheme: 'basic', parameters: { realm: 'x' } },
  ]);
  assert.deepEqual(parseChallenges(undefined), []);
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  assert.equal(parseRegistryAuth(undefined), undefined);
  assert.equal(parseRegistryAuth(encode({})), undefined);
  assert.equal(parseRegistryAuth(encode({ username: 'u', password: 'p' }))?.password, 'p');
  const combined = parseRegistryAuth(encode({ auth: Buffer.from('u:p:q').toString('base64') }));
  assert.deepEqual([combined?.username, combined?.password], ['u', 'p:q']);
  assert.throws(() => parseRegistryAuth('%%%'), { code: 'invalid-parameter' });
});

test("an unreachable registry is told in Docker's words", async (t) => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  await assert.rejects(clientOf(t, { host: `localhost:${port}` }).manifest('1', signal), {
    message: `Get "http://localhost:${port}/v2/": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  });
  await assert.rejects(
    clientOf(t, { host: 'no-such-host.invalid' }).manifest('1', signal),
    /Get "https:\/\/no-such-host.invalid\/v2\/": dial tcp: lookup no-such-host.invalid/,
  );
});
