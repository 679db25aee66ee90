/**
 * Client of the guest's Engine API: HTTP/1.1 over streams of the supervised link.
 *
 * Callers name what they attempt (`start web`), which heads every error's message, and which statuses are normal.
 * Reads share kept-alive connections; whatever changes something gets a fresh one, since a request on a reused
 * connection that just died cannot be repeated safely.
 */
import http from 'node:http';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { AppError, type HostErrorCode } from '../contract/errors.ts';
import { LineSplitter } from '../handlers/socket-transport.ts';
import type { GuestLink } from '../services.ts';

export interface EngineRequest {
  /** Attempt and object in the user's words, for the error: `start web`. */
  readonly attempt: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** With percent-encoded parts: see {@link segment} and {@link imageSegment}. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** An archive, in place of `body`: read at the engine's pace, and given up when it fails. */
  readonly upload?: AsyncIterable<Buffer>;
  /** Beside those that every request has. They may hold secrets: no error says them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses beside 2xx that are no error. */
  readonly expect?: readonly number[];
  readonly signal?: AbortSignal;
  /** Much data: it goes over the connection that may be slow. */
  readonly bulk?: boolean;
  /** Until the answer's head has come. Default 60 s; 0 means no deadline. */
  readonly timeoutMs?: number;
}

type Purpose = Parameters<GuestLink['connectEngine']>[0];

/** API version this client is written against. */
const apiPrefix = '/v1.47';
const maxBodyBytes = 64 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** An identifier as one part of a path. */
export function segment(value: string): string {
  return encodeURIComponent(value);
}

/** An image's name in a path, where slashes stay. */
export function imageSegment(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

export class EngineClient {
  readonly #link: Pick<GuestLink, 'connectEngine'>;
  readonly #kept: LinkAgent;

  constructor(link: Pick<GuestLink, 'connectEngine'>) {
    this.#link = link;
    this.#kept = new LinkAgent(link, 'control', true);
  }

  /** The parsed JSON answer. An answer of another shape is an `engine` error. */
  async json<T>(request: EngineRequest, schema: z.ZodType<T>): Promise<T> {
    const response = await this.#send(request, 'control');
    const text = await readText(response, maxBodyBytes, request);
    const parsed = schema.safeParse(parseJson(text, request));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new AppError(
      'engine',
      `${request.attempt}: unexpected answer of the engine: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }

  /** For requests whose answer has no body of interest; returns the status. */
  async send(request: EngineRequest): Promise<number> {
    const response = await this.#send(request, request.bulk ? 'bulk' : 'control');
    await readText(response, maxBodyBytes, request);
    return response.statusCode ?? 0;
  }

  /** The answer's body as it comes. The caller reads it to its end or destroys it. */
  stream(request: EngineRequest): Promise<http.IncomingMessage> {
    return this.#send({ timeoutMs: 0, ...request }, request.bulk ? 'bulk' : 'stream');
  }

  /**
   * The objects of a newline-delimited JSON answer, each as it comes. Leaving the loop ends the request.
   * @param onOpen called once the engine has accepted the request
   */
  async *ndjson(request: EngineRequest, onOpen?: () => void): AsyncGenerator<unknown, void, undefined> {
    const response = await this.stream(request);
    onOpen?.();
    const lines = new LineSplitter(maxBodyBytes);
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        for (const line of lines.push(chunk)) {
          if (line.trim() !== '') yield parseJson(line, request);
        }
      }
      if (lines.rest().trim() !== '') yield parseJson(lines.rest(), request);
    } catch (error) {
      throw connectionError(error, request);
    } finally {
      response.destroy();
    }
  }

  /** Upgrades to a raw stream (attach, exec). Half-close is kept both ways. */
  hijack(request: EngineRequest): Promise<Duplex> {
    const agent = new LinkAgent(this.#link, 'stream', false);
    return withDeadline(request, async (signal) => {
      const { outgoing, answered } = this.#begin(request, agent, signal, { Connection: 'Upgrade', Upgrade: 'tcp' });
      const upgraded = new Promise<Duplex>((resolve) => {
        outgoing.once('upgrade', (_response, socket: Duplex, head: Buffer) => {
          if (head.length > 0) socket.unshift(head);
          resolve(socket);
        });
      });
      const refused = answered.then(async (response): Promise<never> => {
        await this.#check(response, { ...request, expect: [] });
        response.destroy();
        throw new AppError('engine', `${request.attempt}: the engine did not open a stream`);
      });
      return Promise.race([upgraded, refused]);
    });
  }

  /** Ends the kept connections. */
  close(): void {
    this.#kept.destroy();
  }

  #send(request: EngineRequest, purpose: Purpose): Promise<http.IncomingMessage> {
    const isRead = (request.method ?? 'GET') === 'GET';
    const keep = isRead && purpose === 'control';
    return withDeadline(request, async (signal) => {
      const agent = keep ? this.#kept : new LinkAgent(this.#link, purpose, false);
      const { outgoing, answered } = this.#begin(request, agent, signal);
      let response: http.IncomingMessage;
      try {
        response = await answered;
      } catch (error) {
        if (!outgoing.reusedSocket || !isReset(error)) throw error;
        // The kept connection had died meanwhile; a read can be asked again.
        response = await this.#begin(request, new LinkAgent(this.#link, purpose, false), signal).answered;
      }
      await this.#check(response, request);
      return response;
    });
  }

  #begin(
    request: EngineRequest,
    agent: http.Agent,
    signal: AbortSignal,
    headers: Record<string, string> = {},
  ): { readonly outgoing: http.ClientRequest; readonly answered: Promise<http.IncomingMessage> } {
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const outgoing = http.request({
      agent,
      signal,
      method: request.method ?? 'GET',
      path: `${apiPrefix}${request.path}${queryString(request.query)}`,
      headers: {
        Host: 'wherry',
        ...(body ? { 'Content-Type': 'application/json' } : {}),
        ...(request.upload ? { 'Content-Type': 'application/x-tar' } : {}),
        ...(!request.upload && (body || request.method === 'POST') ? { 'Content-Length': body?.length ?? 0 } : {}),
        ...request.headers,
        ...headers,
      },
    });
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      // Stays listening: an error after the answer belongs to the answer's own stream.
      outgoing.on('error', reject);
    });
    // A hijacked request is never answered in this way.
    answered.catch(() => undefined);
    if (request.upload) {
      // Its end or failure shows in the answer: an engine that has heard enough closes, a source that fails ends the request.
      pipeline(Readable.from(request.upload, { objectMode: false }), outgoing).catch((error: unknown) =>
        outgoing.destroy(asError(error)),
      );
    } else outgoing.end(body);
    return { outgoing, answered };
  }

  async #check(response: http.IncomingMessage, request: EngineRequest): Promise<void> {
    const status = response.statusCode ?? 0;
    if ((status >= 200 && status < 300) || request.expect?.includes(status)) return;
    const text = await readText(response, maxErrorBytes, request);
    throw engineError(request.attempt, status, text);
  }
}

/** Hands each request a stream of the link. */
class LinkAgent extends http.Agent {
  readonly #link: Pick<GuestLink, 'connectEngine'>;
  readonly #purpose: Purpose;
  readonly #keepAlive: boolean;

  constructor(link: Pick<GuestLink, 'connectEngine'>, purpose: Purpose, keepAlive: boolean) {
    super({ keepAlive, maxSockets: 8, maxFreeSockets: 2 });
    this.#keepAlive = keepAlive;
    this.#link = link;
    this.#purpose = purpose;
  }

  override createConnection(
    options: http.ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#link.connectEngine(this.#purpose, options.signal ?? undefined).then(
      (stream) => {
        // Half-closed by the engine it would stay in the pool, and a request on it would wait for ever.
        if (this.#keepAlive) stream.once('end', () => setImmediate(() => stream.destroy()));
        callback?.(null, stream);
      },
      (error: unknown) => callback?.(asError(error), undefined as never),
    );
    return undefined;
  }

  // A stream of the link is no socket: it has no TCP keep-alive and does not hold the process.
  override keepSocketAlive(): true {
    return true;
  }

  // Nor can it be told to hold it, which http.Agent does when it takes its own listener off.
  override reuseSocket(stream: Duplex, request: http.ClientRequest): void {
    super.reuseSocket(Object.assign(stream, { ref: () => stream }), request);
  }
}

/** Runs until the answer's head is there, under the caller's signal and the request's deadline. */
async function withDeadline<T>(request: EngineRequest, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timeoutMs = request.timeoutMs ?? 60_000;
  const deadline = new AbortController();
  const timer = timeoutMs > 0 ? setTimeout(() => deadline.abort(), timeoutMs) : undefined;
  const signal = request.signal ? AbortSignal.any([request.signal, deadline.signal]) : deadline.signal;
  try {
    if (signal.aborted) throw new Error('aborted');
    return await work(signal);
  } catch (error) {
    if (deadline.signal.aborted && !request.signal?.aborted) {
      const hint = 'The VM may be overloaded; `wherry doctor` probes every stage.';
      throw new AppError('deadline', `${request.attempt}: no answer within ${timeoutMs / 1000} s`, {
        cause: error,
        hint,
      });
    }
    throw connectionError(error, request);
  } finally {
    clearTimeout(timer);
  }
}

function connectionError(error: unknown, request: EngineRequest): AppError {
  if (request.signal?.aborted) return new AppError('cancelled', `${request.attempt}: cancelled`, { cause: error });
  if (error instanceof AppError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AppError('link-lost', `${request.attempt}: the connection to the engine was lost (${reason})`, {
    cause: error,
    hint: 'It is being rebuilt; try again in a moment.',
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function isReset(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

const codeOfStatus: Readonly<Record<number, HostErrorCode>> = {
  400: 'invalid-input',
  404: 'not-found',
  409: 'conflict',
  501: 'unsupported',
  503: 'unavailable',
};

/** An error answer in Docker's form, `{"message": …}`, as the host's error. */
export function engineError(attempt: string, status: number, body: string): AppError {
  const message = errorMessage(body) || `the engine answered with status ${status}`;
  if (/port is already allocated|address already in use/.test(message)) {
    const hint = 'Stop what uses that port, or publish another one.';
    return new AppError('port-taken', `${attempt}: ${message}`, { status, hint });
  }
  return new AppError(codeOfStatus[status] ?? 'engine', `${attempt}: ${message}`, { status });
}

function errorMessage(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message);
  } catch {
    // Not JSON: shown as it is.
  }
  return body.trim();
}

function queryString(query: EngineRequest['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

async function readText(response: http.IncomingMessage, limitBytes: number, request: EngineRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limitBytes) throw new AppError('engine', `${request.attempt}: the engine's answer is too long`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw connectionError(error, request);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string, request: EngineRequest): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('engine', `${request.attempt}: the engine's answer is not JSON`, { cause: error });
  }
}
