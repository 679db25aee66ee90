/** The ports protocol between the real ends, over an upgraded connection. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { GuestApi } from '../../../../../src-main/link/guest-api.ts';
import { keepPortsChannel } from '../../../../../src-main/ports/channel.ts';
import type { FailedPort, PortMessageToHost, WantedPort } from '../../../../../vm/contract/wherry-api.ts';
import { hijack } from '../../../../../vm/agent/http/hijack.ts';
import { startEngineServer } from '../../../../../vm/agent/http/server.ts';
import { createPortLink, type PortLink } from '../../../../../vm/agent/network/port-link.ts';

const port = (hostPort: number): WantedPort => ({
  protocol: 'tcp',
  hostIp: '127.0.0.1',
  hostPort,
  guestPort: 50_000,
  containerId: 'c',
});

async function serveGuest(t: TestContext, link: PortLink): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-ports-'));
  const socketPath = path.join(folder, 'engine.sock');
  const server = await startEngineServer({
    socketPath,
    serverHeader: 'test',
    describeBoot: () => '',
    early: [
      {
        method: 'POST',
        path: '/wherry/v1/ports',
        takesOver: true,
        async handle({ request, response }) {
          link.serve(await hijack(request, response, 'raw-stream'));
        },
      },
    ],
  });
  t.after(async () => {
    link.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  return socketPath;
}

test('what the guest wants the host is asked for; its answer comes back', async (t) => {
  const settled: number[] = [];
  const link = createPortLink({ onSettled: (one) => settled.push(one.hostPort) });
  const socketPath = await serveGuest(t, link);
  assert.deepEqual(await link.add(port(80)), { kind: 'pending' });

  const asked: PortMessageToHost['kind'][] = [];
  const handle = (message: PortMessageToHost): Promise<readonly FailedPort[]> => {
    asked.push(message.kind);
    const taken = message.kind === 'add' && message.port.hostPort === 82;
    return Promise.resolve(taken ? [{ port: message.port, reason: 'taken', message: 'held by nginx (pid 7)' }] : []);
  };
  const over = new AbortController();
  const api = new GuestApi({ connectEngine: () => Promise.resolve(connect(socketPath)) });
  const kept = keepPortsChannel({ open: (signal) => api.upgrade('/wherry/v1/ports', signal), handle }, over.signal);
  while (settled.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));

  assert.deepEqual(await link.add(port(81)), { kind: 'bound' });
  assert.deepEqual(await link.add(port(82)), { kind: 'failed', reason: 'taken', message: 'held by nginx (pid 7)' });
  await link.remove(port(80));
  assert.deepEqual(asked, ['sync', 'add', 'add', 'remove']);
  over.abort();
  await kept;
});
