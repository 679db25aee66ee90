/** The engine's whole HTTP side on a socket, over fakes for the kernel, the runtime, the network and the registry. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { routesOf } from '../../vm/agent/engine.ts';
import type { Route } from '../../vm/agent/http/route.ts';
import type { Images } from '../../vm/agent/images-service.ts';
import { startEngineServer } from '../../vm/agent/http/server.ts';
import { wherryRoutes } from '../../vm/agent/http/wherry.ts';
import type { ImageParts } from '../../vm/agent/use-cases/image-parts.ts';
import { EngineError } from '../../vm/contract/errors.ts';
import { makeEngine } from './engine-parts.ts';
import type { TestEngine } from './engine-parts.ts';
import { openTestStore } from './image-store.ts';

export interface TestServer {
  readonly engine: TestEngine;
  readonly socketPath: string;
  readonly routes: readonly Route[];
  /** Sends a request with a JSON body and reads the answer to its end. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; message: string; body: string }>;
}

/** All is closed and removed when the test ends. */
export async function serveEngine(t: TestContext): Promise<TestServer> {
  const engine = await makeEngine(t);
  const images = await openTestStore();
  t.after(() => images[Symbol.asyncDispose]());
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-api-'));
  const socketPath = path.join(folder, 'docker.sock');
  const early = wherryRoutes({
    health: () => Promise.reject(new Error('not asked here')),
    shutdown: () => undefined,
    setClock: () => Promise.resolve(),
    prepareSleep: () => Promise.resolve(),
    wake: () => Promise.resolve(),
  });
  const offline: ImageParts = {
    ...images.parts,
    connect() {
      throw new EngineError('unavailable', 'there is no network in this test');
    },
    download: () => Promise.reject(new EngineError('unavailable', 'there is no network in this test')),
  };
  const stored: Images = {
    store: engine.parts.images,
    parts: offline,
    importStarter: () => Promise.resolve(),
    close: () => undefined,
  };
  const routes = routesOf(engine.parts, stored, {
    agentVersion: 'test',
    apiVersion: '1.47',
    minimumApiVersion: '1.24',
    instanceId: 'test',
    imageCount: () => 0,
    proxy: undefined,
    mirrors: [],
    insecureRegistries: [],
    addressPools: [],
  });
  const server = await startEngineServer({
    socketPath,
    serverHeader: 'Wherry/test (linux)',
    early,
    describeBoot: () => 'not ready',
  });
  t.after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  server.open(routes);
  return { engine, socketPath, routes: [...early, ...routes], ask: (...args) => ask(socketPath, ...args) };
}

async function ask(
  socketPath: string,
  method: string,
  url: string,
  body?: unknown,
): Promise<{ status: number; message: string; body: string }> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const request = httpRequest({ socketPath, method, path: url, headers, agent: false }, resolve);
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const answer = await text(response);
  let message = '';
  try {
    message = (JSON.parse(answer) as { message?: string }).message ?? '';
  } catch {
    // Not every answer is JSON.
  }
  return { status: response.statusCode ?? 0, message, body: answer };
}
