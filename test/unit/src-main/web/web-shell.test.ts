import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { createReconnectingClient } from '../../../../src-main/contract/reconnecting-client.ts';
import { createWireClient } from '../../../../src-main/contract/wire-client.ts';
import { openWebSocket, wrongSecretCode } from '../../../../src-main/contract/wire-transports.ts';
import type { Handlers } from '../../../../src-main/handlers/handlers.ts';
import { memoryTransports } from '../../../../src-main/handlers/memory-transport.ts';
import { serveWire, type ServedConnection } from '../../../../src-main/handlers/wire-server.ts';
import { leadingPage, openBrowser, openCommand } from '../../../../src-main/web/open-browser.ts';
import { startWebShell, type WebShell } from '../../../../src-main/web/web-shell.ts';
import { fakeHandlers, Source, until } from '../../../helpers/handlers.ts';

interface Started {
  readonly shell: WebShell;
  readonly secret: string;
  readonly served: ServedConnection[];
  /** While true, no host can be reached. */
  hostGone: boolean;
}

async function start(
  t: TestContext,
  handlers: Handlers = fakeHandlers(),
  timeoutsMs?: { secret: number; ping: number },
) {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-web-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'window/chunks'), { recursive: true });
  await writeFile(path.join(folder, 'window/index.html'), '<!doctype html><title>Wherry</title>');
  await writeFile(path.join(folder, 'window/main.js'), 'export {};');
  await writeFile(path.join(folder, 'window/chunks/logs-ABCD1234.js'), 'export {};');
  await writeFile(path.join(folder, 'secret.txt'), 'not for the web');
  await symlink(path.join(folder, 'secret.txt'), path.join(folder, 'window/link.txt'));
  const served: ServedConnection[] = [];
  const started: Started = { shell: undefined as never, secret: '', served, hostGone: false };
  const shell = await startWebShell({
    access: {
      connect: () => {
        if (started.hostGone) return Promise.reject(new Error('no host'));
        const { client, server } = memoryTransports();
        served.push(serveWire(handlers, server));
        return Promise.resolve(client);
      },
    },
    shell: { version: '9.9.9', shell: 'web', home: '/home/of/wherry' },
    folder: path.join(folder, 'window'),
    port: 0,
    ...(timeoutsMs ? { timeoutsMs } : {}),
  });
  t.after(() => shell[Symbol.asyncDispose]());
  return Object.assign(started, { shell, secret: new URL(shell.url).hash.slice(1) });
}

function get(shell: WebShell, urlPath: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port: shell.port, path: urlPath, headers, method, agent: false },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    request.once('error', reject).end();
  });
}

const origin = (shell: WebShell) => `http://127.0.0.1:${shell.port}`;

function socket(shell: WebShell, headers: Record<string, string> = {}, urlPath = '/wire'): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${shell.port}${urlPath}`, { headers: { Origin: origin(shell), ...headers } });
}

/** The status that refused the handshake, or the code that closed the connection. */
function ending(webSocket: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    webSocket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
      webSocket.terminate();
    });
    webSocket.on('error', () => undefined);
    webSocket.on('close', (code) => resolve(code));
  });
}

test('the page is served with a strict policy and is not kept by the browser; hashed chunks are', async (t) => {
  const { shell } = await start(t);
  const page = await get(shell, '/');
  assert.equal(page.status, 200);
  assert.match(page.body, /<title>Wherry/);
  assert.equal(page.headers['cache-control'], 'no-store');
  const policy = String(page.headers['content-security-policy']);
  for (const part of ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"]) {
    assert.ok(policy.includes(part), `${part} is missing in ${policy}`);
  }
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  assert.equal(page.headers['referrer-policy'], 'no-referrer');
  assert.match(String((await get(shell, '/chunks/logs-ABCD1234.js')).headers['cache-control']), /immutable/);
  assert.equal((await get(shell, '/main.js')).headers['cache-control'], 'no-store');
  assert.equal((await get(shell, '/', {}, 'HEAD')).body, '');
  assert.equal((await get(shell, '/', {}, 'POST')).status, 405);
});

test('nothing outside the folder can be read', async (t) => {
  const { shell } = await start(t);
  for (const urlPath of [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/chunks',
    '/%00',
    '/%zz',
    '/main.js%00.html',
    '//secret.txt',
    '//127.0.0.1/../secret.txt',
  ]) {
    const answer = await get(shell, urlPath);
    assert.equal(answer.status, 404, urlPath);
    assert.doesNotMatch(answer.body, /not for the web/);
  }
});

test('a foreign Host (DNS rebinding) is refused for pages and sockets', async (t) => {
  const { shell } = await start(t);
  for (const host of ['evil.example', `evil.example:${shell.port}`, '127.0.0.1.evil.example', 'localhost.evil']) {
    assert.equal((await get(shell, '/', { Host: host })).status, 421, host);
    assert.equal(await ending(socket(shell, { Host: host, Origin: `http://${host}` })), 421, host);
  }
  assert.equal((await get(shell, '/', { Host: `localhost:${shell.port}` })).status, 200);
});

test('a socket of another page is refused, as is any other path', async (t) => {
  const { shell } = await start(t);
  for (const foreign of [
    'http://evil.example',
    `http://localhost:${shell.port}`,
    `https://127.0.0.1:${shell.port}`,
    'null',
  ]) {
    assert.equal(await ending(socket(shell, { Origin: foreign })), 403, foreign);
  }
  const withoutOrigin = new WebSocket(`ws://127.0.0.1:${shell.port}/wire`);
  assert.equal(await ending(withoutOrigin), 403);
  assert.equal(await ending(socket(shell, {}, '/other')), 404);
});

test('without the right secret nothing of the host is reached', async (t) => {
  const { shell, secret, served } = await start(t);
  for (const first of [JSON.stringify({ secret: `${secret}x` }), JSON.stringify({ secret: [secret] }), '{', secret]) {
    const webSocket = socket(shell);
    webSocket.on('open', () => webSocket.send(first));
    assert.equal(await ending(webSocket), wrongSecretCode);
  }
  const client = createReconnectingClient((signal) => openWebSocket(socket(shell), 'wrong', signal));
  t.after(() => client.close());
  await until(() => client.connection.kind === 'refused');
  assert.equal(served.length, 0);
});

test('a connection that says nothing is closed', async (t) => {
  const { shell } = await start(t, fakeHandlers(), { secret: 20, ping: 20_000 });
  assert.equal(await ending(socket(shell)), wrongSecretCode);
});

test('a browser that no longer answers pings is let go', async (t) => {
  const { shell, secret, served } = await start(t, fakeHandlers(), { secret: 10_000, ping: 20 });
  const webSocket = new WebSocket(`ws://127.0.0.1:${shell.port}/wire`, {
    headers: { Origin: origin(shell) },
    autoPong: false,
  });
  webSocket.on('open', () => webSocket.send(JSON.stringify({ secret })));
  assert.equal(await ending(webSocket), 1006);
  await served[0]?.closed;
});

test('with the secret the window speaks to the host; the shell answers for itself', async (t) => {
  const { shell, secret } = await start(t);
  const client = createWireClient(await openWebSocket(socket(shell), secret));
  t.after(() => client.close());
  assert.deepEqual(await client.call('app.info', {}), {
    version: '9.9.9',
    platform: process.platform,
    shell: 'web',
    home: '/home/of/wherry',
    canStartAtLogin: false,
  });
  await assert.rejects(client.call('app.openExternal', { url: 'file:///etc/passwd' }), { code: 'invalid-input' });
  await assert.rejects(client.call('app.openExternal', { url: 'https://example.org/' }), { code: 'unsupported' });
  await client.call('vm.start', {});
});

test('a message that is too large ends the connection', async (t) => {
  const { shell, secret } = await start(t);
  const webSocket = socket(shell);
  webSocket.on('open', () => {
    webSocket.send(JSON.stringify({ secret }));
    webSocket.send('x'.repeat(5 * 1024 * 1024));
  });
  assert.equal(await ending(webSocket), 1009);
});

test('when the host dies the window finds the next one by itself', async (t) => {
  const images = new Source<readonly never[]>([]);
  const started = await start(t, fakeHandlers({ topics: { images } }));
  const client = createReconnectingClient((signal) => openWebSocket(socket(started.shell), started.secret, signal), {
    retryDelaysMs: [2],
  });
  t.after(() => client.close());
  const seen: number[] = [];
  client.subscribe('images', (value) => seen.push(value.length));
  await until(() => seen.length === 1);
  started.hostGone = true;
  started.served[0]?.close();
  await until(() => client.connection.kind === 'connecting');
  images.set([0 as never]);
  started.hostGone = false;
  await until(() => seen.at(-1) === 1);
});

test('a port in use and a window that was not built are told with what to do', async (t) => {
  const { shell } = await start(t);
  const options = {
    access: { connect: () => Promise.reject(new Error('unused')) },
    shell: { version: '1', shell: 'web' as const, home: '/' },
    folder: import.meta.dirname,
    port: shell.port,
  };
  await assert.rejects(startWebShell(options), { code: 'image-missing', hint: /npm run build/ });
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-web-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'index.html'), '');
  await assert.rejects(startWebShell({ ...options, folder }), { code: 'port-taken', hint: /--port/ });
});

test('the browser is opened without a shell in between', () => {
  const file = '/home/a&b; calc/wherry.html';
  assert.deepEqual(openCommand(file, 'darwin'), ['open', file]);
  assert.deepEqual(openCommand(file, 'linux'), ['xdg-open', file]);
  assert.equal(openCommand(file, 'win32').at(-1), file);
});

test('the secret is in no program’s arguments: a private file leads the browser on, and is removed', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-open-'));
  t.after(() => rm(folder, { recursive: true }));
  const url = 'http://127.0.0.1:1/#se"cret<';
  let opened = '';
  const browser = await openBrowser(url, folder, (file) => {
    opened = file;
    return [process.execPath, '-e', '', file];
  });
  assert.equal(browser.started, true);
  assert.equal((await stat(opened)).mode & 0o777, 0o600);
  assert.equal(await readFile(opened, 'utf8'), leadingPage(url));
  assert.match(leadingPage(url), /url=http:\/\/127\.0\.0\.1:1\/#se&#34;cret&#60;">/);
  await browser[Symbol.asyncDispose]();
  await assert.rejects(stat(opened), { code: 'ENOENT' });
  const without = await openBrowser(url, folder, () => ['/nonexistent/browser']);
  assert.equal(without.started, false);
  await without[Symbol.asyncDispose]();
  assert.equal((await openBrowser(url, '/nonexistent/home')).started, false);
});
