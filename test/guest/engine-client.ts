/** A small Engine API client for tests that run beside the agent. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { guestPaths } from '../../vm/contract/wherry-api.ts';

/** Elsewhere when the agent is run outside of its image. */
const socketPath = process.env.WHERRY_ENGINE_SOCKET ?? guestPaths.engineSocket;

export const starterImage = 'wherry/starter';

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The body as JSON, or `otherwise` when it is empty; fails the test when it is no JSON. */
  json<Shape = Record<string, unknown>>(otherwise?: Shape): Shape;
}

export async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const sent = request({
    socketPath,
    method,
    path,
    agent: false,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  const received = await text(response);
  return {
    status: response.statusCode ?? 0,
    body: received,
    json: <Shape>(otherwise?: Shape) =>
      received === '' && otherwise !== undefined ? otherwise : (JSON.parse(received) as Shape),
  };
}

/** Takes a connection over: sends the request, reads its head, returns what is raw from there on. */
export async function hijack(path: string, body: unknown = {}, upgrade = true): Promise<Hijacked> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  const payload = JSON.stringify(body);
  const headers = upgrade ? 'Connection: Upgrade\r\nUpgrade: tcp\r\n' : '';
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: engine\r\n${headers}Content-Type: application/json\r\nContent-Length: ${payload.length}\r\n\r\n${payload}`,
  );
  const hijacked = new Hijacked(socket);
  await hijacked.headRead;
  return hijacked;
}

export class Hijacked {
  readonly socket: Socket;
  readonly headRead: Promise<void>;
  head = '';
  private received = Buffer.alloc(0);
  private readonly ended: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    this.ended = new Promise((resolve) => socket.on('end', resolve).on('close', () => resolve()));
    this.headRead = new Promise((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        this.received = Buffer.concat([this.received, chunk]);
        const end = this.received.indexOf('\r\n\r\n');
        if (this.head !== '' || end < 0) return;
        this.head = this.received.toString('latin1', 0, end);
        this.received = this.received.subarray(end + 4);
        resolve();
      });
      socket.on('close', () => resolve());
    });
  }

  /** All that came, as it came. */
  async raw(): Promise<string> {
    await this.ended;
    this.socket.end();
    return this.received.toString();
  }

  /** All that came, by stream. */
  async streams(): Promise<{ stdout: string; stderr: string }> {
    await this.raw();
    return splitFrames(this.received);
  }

  /** Resolves when this text has come. */
  async saw(wanted: string): Promise<void> {
    while (!this.received.includes(wanted)) {
      if (this.socket.readableEnded) throw new Error(`ended without ${wanted}: ${this.received.toString()}`);
      await Promise.race([once(this.socket, 'data'), this.ended]);
    }
  }
}

/** Undoes Docker's eight-byte headers. */
export function splitFrames(bytes: Buffer): { stdout: string; stderr: string } {
  const streams = { stdout: '', stderr: '' };
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    streams[bytes[at] === 2 ? 'stderr' : 'stdout'] += bytes.toString('utf8', at + 8, at + 8 + length);
    at += 8 + length;
  }
  return streams;
}

/** Creates a container of the starter image; it is removed when the test ends. */
export async function createContainer(
  t: TestContext,
  settings: Record<string, unknown>,
  name?: string,
): Promise<string> {
  const { HostConfig, ...rest } = settings;
  const limits = { Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 1024 }] };
  const chosen = name ?? `test-${randomBytes(6).toString('hex')}`;
  const created = await call('POST', `/containers/create?name=${chosen}`, {
    Image: starterImage,
    HostConfig: { ...limits, ...(HostConfig as object | undefined) },
    ...rest,
  });
  if (created.status !== 201) throw new Error(`create: ${created.status} ${created.body}`);
  const { Id } = created.json<{ Id: string }>();
  t.after(() => call('DELETE', `/containers/${Id}?force=1&v=1`));
  return Id;
}

/** Creates, starts and waits; returns the exit code and the output. */
export async function runToEnd(
  t: TestContext,
  settings: Record<string, unknown>,
): Promise<{ id: string; exitCode: number; stdout: string; stderr: string }> {
  const id = await createContainer(t, settings);
  const started = await call('POST', `/containers/${id}/start`);
  if (started.status !== 204) throw new Error(`start: ${started.status} ${started.body}`);
  const { StatusCode } = (await call('POST', `/containers/${id}/wait`)).json<{ StatusCode: number }>();
  return { id, exitCode: StatusCode, ...(await logsOf(id)) };
}

/** What it has written up to now. */
export async function logsOf(id: string): Promise<{ stdout: string; stderr: string }> {
  const sent = request({ socketPath, path: `/containers/${id}/logs?stdout=1&stderr=1`, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return splitFrames(Buffer.concat(chunks));
}

/** Waits until the starter image has been imported, as a fresh disk does in the background. */
export async function starterReady(): Promise<void> {
  for (;;) {
    if ((await call('GET', `/images/${starterImage}/json`)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
