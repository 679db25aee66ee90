/** The host's handlers over a scripted engine, with windows on them. */
import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { createWireClient, type WireClient } from '../../src-main/contract/wire-client.ts';
import { createHandlers } from '../../src-main/handlers/create-handlers.ts';
import { memoryTransports } from '../../src-main/handlers/memory-transport.ts';
import { serveWire } from '../../src-main/handlers/wire-server.ts';
import { fakeEngine, json, type Answer, type FakeEngine } from './fake-engine.ts';
import { Source } from './handlers.ts';
import { fakeServices, vmView } from './services.ts';

interface Started {
  readonly engine: FakeEngine;
  readonly client: WireClient;
  readonly events: ServerResponse[];
  /** One more window on the same host. */
  readonly newWindow: () => WireClient;
}

export async function startHandlers(t: TestContext, routes: Record<string, Answer>): Promise<Started> {
  const events: ServerResponse[] = [];
  const engine = await fakeEngine(t, {
    'GET /events': (_request, response) => {
      response.writeHead(200).flushHeaders();
      events.push(response);
    },
    'GET /containers/json': (_request, response) => json(response, 200, []),
    'GET /images/json': (_request, response) => json(response, 200, []),
    ...routes,
  });
  const services = fakeServices({
    vm: new Source(vmView('ready')),
    connectEngine: (purpose, signal) => engine.connectEngine(purpose, signal),
  });
  const opened: string[] = [];
  const handlers = createHandlers(services, {
    version: '1',
    shell: 'electron',
    home: '/h',
    openExternal: (url) => void opened.push(url),
  });
  t.after(() => handlers[Symbol.asyncDispose]());
  const newWindow = () => {
    const { client: transport, server } = memoryTransports();
    serveWire(handlers, server);
    const client = createWireClient(transport);
    t.after(() => client.close());
    return client;
  };
  return { engine, client: newWindow(), events, newWindow };
}
