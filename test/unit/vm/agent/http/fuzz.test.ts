/** The whole route table under nonsense: it never crashes, never answers 500 for bad input, and answers on afterwards. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { removeContainer } from '../../../../../vm/agent/use-cases/remove-container.ts';
import { serveEngine } from '../../../../helpers/engine-server.ts';
import type { TestServer } from '../../../../helpers/engine-server.ts';
import { randomRequests } from '../../../../helpers/random-requests.ts';
import type { RandomRequest } from '../../../../helpers/random-requests.ts';

const skip = process.getuid?.() === 0 ? false : 'files are given to the container’s root, which needs root';
const seed = Number(process.env.WHERRY_FUZZ_SEED ?? 20_261_125);
const rounds = Number(process.env.WHERRY_FUZZ_ROUNDS ?? 12);
/** Streams have no end: they are cut, as clients that go away do. */
const cutAfterMs = 40;

interface Answer {
  /** 0: cut before an answer. */
  readonly status: number;
  readonly text: string;
}

function send(server: TestServer, method: string, { path, body, headers }: RandomRequest): Promise<Answer> {
  return new Promise((resolve) => {
    let status = 0;
    let text = '';
    const end = (): void => {
      clearTimeout(timer);
      request.destroy();
      resolve({ status, text });
    };
    const timer = setTimeout(end, cutAfterMs);
    const request = httpRequest({ socketPath: server.socketPath, method, path, headers, agent: false });
    request.on('error', end);
    request.on('upgrade', (response, socket) => {
      status = response.statusCode ?? 0;
      socket.destroy();
      end();
    });
    request.on('response', (response) => {
      status = response.statusCode ?? 0;
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8', 0, 500)));
      response.on('error', () => undefined);
      response.on('close', end);
    });
    request.end(body);
  });
}

/** What the process holds, by what it is: proc_pid_fd(5). */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the folder's own
    }
  });
}

/** Once nothing has been closed for half a second. */
async function settledFiles(): Promise<string[]> {
  for (let files = openFiles(); ;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = openFiles();
    if (now.length >= files.length) return now;
    files = now;
  }
}

async function answers(server: TestServer): Promise<void> {
  assert.equal((await server.ask('GET', '/_ping')).body, 'OK');
  assert.equal((await server.ask('GET', '/containers/json?all=1')).status, 200);
}

test('random requests to every route', { skip, timeout: 300_000 }, async (t) => {
  const server = await serveEngine(t);
  server.engine.runtime.prepare = (container) => {
    container.onExec = (exec) => exec.finish(0);
  };
  const ids = [await server.engine.create('fuzzed'), await server.engine.create('other')];
  const make = randomRequests(seed, ['fuzzed', 'other', 'img', 'bridge', ...ids, ids[0]?.slice(0, 12) ?? '']);
  await answers(server);
  const failures: string[] = [];
  const fuzz = async (): Promise<void> => {
    for (const { method, path } of server.routes) {
      if (path === '/wherry/v1/health') continue; // The test's own stand-in.
      const request = make(path);
      const { status, text } = await send(server, method, request);
      if (status === 500)
        failures.push(`${method} ${request.path} ${request.body?.toString().slice(0, 600) ?? ''}\n  → ${text}`);
    }
  };
  // The first half opens what Node and the database keep once they have used it: a leak is what the second half adds.
  for (let round = 0; round < rounds / 2; round += 1) await fuzz();
  const before = await settledFiles();
  for (let round = 0; round < rounds / 2; round += 1) await fuzz();
  assert.deepEqual(failures, [], `seed ${seed}`);
  await answers(server);
  for (const { id } of server.engine.parts.store.all()) await removeContainer(server.engine.parts, id, { force: true });
  const after = await settledFiles();
  assert.ok(after.length <= before.length, `open before:\n${before.join('\n')}\nafter:\n${after.join('\n')}`);
});

test('bodies that are too large, never end, or are cut', async (t) => {
  const server = await serveEngine(t);
  const huge = await send(server, 'POST', {
    path: '/containers/create',
    body: Buffer.alloc(5 * 1024 * 1024, 0x20),
    headers: {},
  });
  assert.ok([0, 413].includes(huge.status), String(huge.status));
  for (const rest of ['', '{"Image":', '{"Image":"img"}', 'x'.repeat(70_000)]) {
    const socket = connect(server.socketPath);
    socket.on('error', () => undefined);
    socket.write(`POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n${rest}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    socket.destroy();
  }
  const deep = Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const nested = await send(server, 'POST', { path: '/containers/create', body: deep, headers: {} });
  assert.ok([0, 400].includes(nested.status), String(nested.status));
  await answers(server);
});

test('a client that does not read does not hold the engine’s memory', { timeout: 60_000 }, async (t) => {
  const server = await serveEngine(t);
  const socket = connect(server.socketPath);
  socket.on('error', () => undefined);
  socket.pause();
  socket.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  const { events } = server.engine.parts;
  while (events.listenerCount < 2) await new Promise((resolve) => setImmediate(resolve));
  const before = events.listenerCount;
  // The test's own listener stays; the client that reads nothing is cut off.
  for (let sent = 0; events.listenerCount === before; sent += 1) {
    assert.ok(sent < 2000, 'still waited for');
    events.publish('volume', 'create', 'x'.repeat(16_384), {});
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.destroy();
  await answers(server);
});
