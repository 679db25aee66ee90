/** The ports channel between the agent's real HTTP server and the host's real client. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { GuestApi } from '../../../../../src-main/link/guest-api.ts';
import { serveChannel } from '../../../../../src-main/ports/channel.ts';
import { networkRoutes } from '../../../../../vm/agent/http/networks.ts';
import { startEngineServer } from '../../../../../vm/agent/http/server.ts';
import type { Parts } from '../../../../../vm/agent/use-cases/parts.ts';
import type { NetworkService } from '../../../../../vm/agent/network/network.ts';
import { createPortLink } from '../../../../../vm/agent/network/port-link.ts';

test('sync, add and their answers pass over an upgraded connection', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-ports-'));
  const socketPath = path.join(folder, 'engine.sock');
  const portLink = createPortLink({ onSettled: () => undefined });
  const network = { serveHost: (stream) => portLink.serve(stream) } as Pick<
    NetworkService,
    'serveHost'
  > as NetworkService;
  const server = await startEngineServer({
    socketPath,
    serverHeader: 'test',
    early: networkRoutes({ network } as Parts),
    describeBoot: () => '',
  });
  t.after(async () => {
    portLink.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const api = new GuestApi({
    connectEngine: async () => {
      const socket = net.connect(socketPath);
      await once(socket, 'connect');
      return socket;
    },
  });
  const over = new AbortController();
  const seen: string[] = [];
  const served = serveChannel(
    await api.upgrade('/wherry/v1/ports'),
    (message) => {
      seen.push(message.kind);
      return Promise.resolve([]);
    },
    over.signal,
  );
  const port = { protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8080, guestPort: 49_152, containerId: 'c' } as const;
  assert.deepEqual(await portLink.add(port), { kind: 'bound' });
  assert.deepEqual(seen, ['sync', 'add']);
  over.abort();
  await served.catch(() => undefined);
});
