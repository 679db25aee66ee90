/** What Docker has no word for: health, shutdown, clock, sleep. They answer from the moment the socket listens. */
import type { GuestHealth } from '../../contract/wherry-api.ts';
import { EngineError } from '../../contract/errors.ts';
import { sendJson, sendNothing } from './reply.ts';
import { readJson } from './body.ts';
import { booleanOf } from './query.ts';
import type { Route } from './route.ts';

export interface GuestControl {
  health(): Promise<GuestHealth>;
  /** Begins the shutdown and returns; the machine powers off when the containers have stopped or the deadline is over. */
  shutdown(timeoutSeconds: number): void;
  setClock(nowMs: number): Promise<void>;
  /** @throws EngineError `conflict` when a pause would spoil something; with `idle`, when anything is going on. */
  prepareSleep(idle: boolean): Promise<void>;
  wake(nowMs: number, entropy: Buffer): Promise<void>;
}

const defaultShutdownSeconds = 10;

export function wherryRoutes(control: GuestControl): Route[] {
  const ping: Route['handle'] = ({ request, response }) => {
    response.writeHead(200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
      'Builder-Version': '1',
      Swarm: 'inactive',
      'Content-Length': request.method === 'HEAD' ? 0 : 2,
    });
    response.end(request.method === 'HEAD' ? undefined : 'OK');
    return Promise.resolve();
  };
  return [
    { method: 'GET', path: '/_ping', handle: ping },
    { method: 'HEAD', path: '/_ping', handle: ping },
    {
      method: 'GET',
      path: '/wherry/v1/health',
      handle: async ({ response }) => sendJson(response, await control.health()),
    },
    {
      method: 'POST',
      path: '/wherry/v1/shutdown',
      handle: ({ response, query }) => {
        const seconds = Number(query.get('timeoutSeconds') ?? defaultShutdownSeconds);
        if (!Number.isFinite(seconds) || seconds < 0) {
          throw new EngineError('invalid-parameter', `timeoutSeconds: ${String(query.get('timeoutSeconds'))}`);
        }
        sendNothing(response, 202);
        response.on('finish', () => control.shutdown(seconds));
        return Promise.resolve();
      },
    },
    {
      method: 'POST',
      path: '/wherry/v1/clock',
      handle: async ({ request, response }) => {
        await control.setClock(timeOf(await readJson(request)));
        sendNothing(response);
      },
    },
    {
      method: 'POST',
      path: '/wherry/v1/sleep',
      handle: async ({ response, query }) => {
        await control.prepareSleep(booleanOf(query, 'idle'));
        sendNothing(response);
      },
    },
    {
      method: 'POST',
      path: '/wherry/v1/wake',
      handle: async ({ request, response }) => {
        const body = await readJson(request);
        const entropy = fieldOf(body, 'entropy');
        if (typeof entropy !== 'string') throw new EngineError('invalid-parameter', 'entropy: Base64 is needed');
        await control.wake(timeOf(body), Buffer.from(entropy, 'base64'));
        sendNothing(response);
      },
    },
  ];
}

function timeOf(body: unknown): number {
  const nowMs = fieldOf(body, 'nowMs');
  if (typeof nowMs !== 'number' || !Number.isFinite(nowMs) || nowMs < 0) {
    throw new EngineError('invalid-parameter', 'nowMs: a time in milliseconds is needed');
  }
  return nowMs;
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}
