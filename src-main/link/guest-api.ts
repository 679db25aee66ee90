/** `/wherry/v1/…` of the agent, and the ping, over the link. */
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import type { GuestHealth } from '../../vm/contract/wherry-api.ts';
import type { GuestLink } from '../services.ts';

const stageSchema = z.object({
  state: z.enum(['starting', 'ok', 'failed']),
  detail: z.string(),
  hint: z.string().optional(),
});
const healthSchema = z.object({
  agent: z.object({
    version: z.string(),
    pid: z.number(),
    startedAtMs: z.number(),
    instanceId: z.string(),
  }),
  disk: stageSchema.extend({ sizeBytes: z.number().optional(), freeBytes: z.number().optional() }),
  network: stageSchema,
  engine: stageSchema,
});

export class GuestApi {
  readonly #link: Pick<GuestLink, 'connectEngine'>;

  constructor(link: Pick<GuestLink, 'connectEngine'>) {
    this.#link = link;
  }

  async health(signal?: AbortSignal): Promise<GuestHealth> {
    const body = await this.#request('GET', '/wherry/v1/health', undefined, signal);
    return healthSchema.parse(JSON.parse(body)) as GuestHealth;
  }

  /** The engine's own sign of life. */
  async ping(signal?: AbortSignal): Promise<void> {
    await this.#request('GET', '/_ping', undefined, signal);
  }

  /** The guest stops its containers, syncs and powers off; resolves once it has agreed to. */
  async shutdown(timeoutSeconds: number, signal?: AbortSignal): Promise<void> {
    await this.#request('POST', `/wherry/v1/shutdown?timeoutSeconds=${timeoutSeconds}`, undefined, signal);
  }

  async setClock(nowMs: number, signal?: AbortSignal): Promise<void> {
    await this.#request('POST', '/wherry/v1/clock', { nowMs }, signal);
  }

  /**
   * Has the guest write out and drop what it only holds to be fast. @param idle refuses also when anything at all is going on
   * @throws AppError `engine` with status 409 when it does what a pause would spoil.
   */
  async prepareSleep(idle: boolean, signal?: AbortSignal): Promise<void> {
    await this.#request('POST', `/wherry/v1/sleep?idle=${idle}`, undefined, signal);
  }

  /** After its sleep. @param entropy Base64, mixed into the guest's random numbers */
  async wake(nowMs: number, entropy: string, signal?: AbortSignal): Promise<void> {
    await this.#request('POST', '/wherry/v1/wake', { nowMs, entropy }, signal);
  }

  /** Upgrades a fresh stream and hands over the raw bytes that follow the `101`. */
  async upgrade(path: string, signal?: AbortSignal): Promise<Duplex> {
    const stream = await this.#link.connectEngine('control', signal);
    return new Promise<Duplex>((resolve, reject) => {
      const request = http.request({
        method: 'POST',
        path,
        host: 'wherry',
        headers: { connection: 'Upgrade', upgrade: 'tcp', 'content-length': 0 },
        createConnection: () => stream,
        ...(signal && { signal }),
      });
      request.on('upgrade', (_response, upgraded, head) => {
        if (head.length > 0) upgraded.unshift(head);
        resolve(upgraded);
      });
      request.on('response', (response) => {
        stream.destroy();
        reject(
          new AppError('engine', `open ${path}: the engine answered ${response.statusCode ?? 0}`, {
            status: response.statusCode ?? 0,
          }),
        );
      });
      request.on('error', reject);
      request.end();
    });
  }

  async #request(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<string> {
    const stream = await this.#link.connectEngine('control', signal);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    try {
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        const request = http.request({
          method,
          path,
          host: 'wherry',
          headers: {
            connection: 'close',
            'content-length': payload === undefined ? 0 : Buffer.byteLength(payload),
            ...(payload !== undefined && { 'content-type': 'application/json' }),
          },
          createConnection: () => stream,
          ...(signal && { signal }),
        });
        request.on('response', resolve);
        request.on('error', reject);
        request.end(payload);
      });
      const answer = await text(response);
      const status = response.statusCode ?? 0;
      if (status >= 400) throw new AppError('engine', `${method} ${path}: ${messageOf(answer)}`, { status });
      return answer;
    } finally {
      stream.destroy();
    }
  }
}

/** Docker's error form, or the text as it is. */
function messageOf(answer: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(answer)).message;
  } catch {
    return answer.trim().slice(0, 500);
  }
}
