/** One HTTP exchange with a registry: connections kept alive, trust, proxy, time-outs. Redirects and retries are the client's. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { connect as tlsConnect, createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { dialAddress, isInsecureAllowed, proxyFor } from './network.ts';
import type { RegistryNetwork } from './network.ts';

export interface TransportTimeouts {
  /** From the request to the answer's headers. */
  readonly answerMs: number;
  /** Without a byte of an answer's body that is waited for. */
  readonly stallMs: number;
}

export interface HttpAnswer {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Must be consumed or destroyed. */
  readonly body: IncomingMessage;
}

/** Sent as it is, or opened for each try and sent as it comes. */
export type RequestBody = string | Buffer | (() => AsyncIterable<Buffer>);

/** No answer could be had. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** `ECONNREFUSED`, `stalled`… */
  readonly reason: string;

  constructor(reason: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }

  /** Trying again may help. */
  get transient(): boolean {
    return ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENETUNREACH', 'stalled', 'ended-early'].includes(
      this.reason,
    );
  }
}

/** Owns its connections until `close`. */
export class Transport {
  readonly network: RegistryNetwork;
  readonly timeouts: TransportTimeouts;
  /** By host, once known: whether it speaks TLS. Only hosts that may do without are asked. */
  readonly plainHosts = new Map<string, boolean>();
  private readonly httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 16 });
  private readonly httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: 16 });
  private readonly secureContext: SecureContext | undefined;

  constructor(network: RegistryNetwork, timeouts: Partial<TransportTimeouts> = {}) {
    this.network = network;
    this.timeouts = { answerMs: 30_000, stallMs: 30_000, ...timeouts };
    if (network.extraCa.length > 0) {
      this.secureContext = createSecureContext({ ca: [...rootCertificates, ...network.extraCa] });
    }
  }

  /** Rejects with {@link TransportError}, or with the signal's reason. */
  async request(
    url: URL,
    options: {
      method: string;
      headers: Readonly<Record<string, string>>;
      body?: RequestBody | undefined;
      signal: AbortSignal;
    },
  ): Promise<HttpAnswer> {
    options.signal.throwIfAborted();
    const request = await this.open(url, options);
    return new Promise<HttpAnswer>((resolve, reject) => {
      const timer = setTimeout(() => {
        request.destroy(new TransportError('stalled', `no answer within ${this.timeouts.answerMs / 1000} s`));
      }, this.timeouts.answerMs);
      const { body } = options;
      let answered = false;
      const stillSending = (): void => {
        if (!answered) timer.refresh();
      };
      request.once('response', (answer) => {
        answered = true;
        clearTimeout(timer);
        resolve({ url, status: answer.statusCode ?? 0, headers: answer.headers, body: answer });
      });
      // Stays for the life of the request: a late error must not become an uncaught exception.
      request.on('error', (error) => {
        answered = true;
        clearTimeout(timer);
        reject(options.signal.aborted ? abortReason(options.signal) : describe(error, url));
      });
      if (typeof body !== 'function') request.end(body);
      else sendBody(request, body(), stillSending).catch((error: unknown) => request.destroy(error as Error));
    });
  }

  /** The body in pieces; rejects with `stalled` when it stops coming, `ECONNRESET` or `ended-early` when it breaks off. */
  async *chunks(answer: HttpAnswer, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
    let waiting = true;
    const timer = setInterval(
      () => {
        if (waiting && Date.now() - since >= this.timeouts.stallMs) {
          answer.body.destroy(new TransportError('stalled', `no data for ${this.timeouts.stallMs / 1000} s`));
        }
      },
      Math.min(1000, this.timeouts.stallMs),
    );
    let since = Date.now();
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        waiting = false;
        yield chunk;
        waiting = true;
        since = Date.now();
      }
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      throw describe(error, answer.url);
    } finally {
      clearInterval(timer);
      answer.body.destroy();
    }
    if (!answer.body.complete) throw new TransportError('ended-early', 'the connection ended before the data did');
  }

  close(): void {
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
  }

  private async open(
    url: URL,
    options: { method: string; headers: Readonly<Record<string, string>>; signal: AbortSignal },
  ): Promise<ClientRequest> {
    const secure = url.protocol === 'https:';
    const port = Number(url.port === '' ? (secure ? 443 : 80) : url.port);
    const proxy = proxyFor(url, this.network);
    const headers = { Host: url.host, 'User-Agent': 'wherry', ...options.headers };
    const common: RequestOptions = {
      method: options.method,
      host: dialAddress(url.hostname, this.network),
      port,
      path: `${url.pathname}${url.search}`,
      headers,
      signal: options.signal,
    };
    if (!secure) {
      if (proxy === undefined) return httpRequest({ ...common, agent: this.httpAgent });
      const through = { host: dialAddress(proxy.hostname, this.network), port: Number(proxy.port || 80) };
      const all = { ...headers, ...proxyAuthorization(proxy) };
      return httpRequest({ ...common, ...through, path: url.href, headers: all, agent: this.httpAgent });
    }
    const trust = {
      servername: /^[\d.]+$|:/.test(url.hostname) ? '' : url.hostname,
      rejectUnauthorized: !isInsecureAllowed(url, this.network),
      ...(this.secureContext === undefined ? {} : { secureContext: this.secureContext }),
    };
    if (proxy === undefined) return httpsRequest({ ...common, ...trust, agent: this.httpsAgent });
    const socket = await this.tunnel(proxy, url, port, options.signal);
    const createConnection = () => tlsConnect({ ...trust, socket, servername: url.hostname });
    return httpsRequest({ ...common, createConnection });
  }

  /** A connection to the registry made by the proxy (CONNECT). */
  private tunnel(proxy: URL, url: URL, port: number, signal: AbortSignal): Promise<Socket> {
    const target = `${url.hostname}:${port}`;
    const request = httpRequest({
      method: 'CONNECT',
      host: dialAddress(proxy.hostname, this.network),
      port: Number(proxy.port || 80),
      path: target,
      headers: { Host: target, ...proxyAuthorization(proxy) },
      signal,
      timeout: this.timeouts.answerMs,
    });
    return new Promise((resolve, reject) => {
      request.once('connect', (answer, socket) => {
        if (answer.statusCode === 200) {
          socket.setTimeout(0);
          resolve(socket);
          return;
        }
        socket.destroy();
        reject(new TransportError('proxy', `proxy ${proxy.host}: ${answer.statusCode ?? 0} for CONNECT ${target}`));
      });
      request.once('timeout', () =>
        request.destroy(new TransportError('stalled', `proxy ${proxy.host} does not answer`)),
      );
      request.on('error', (error) => reject(signal.aborted ? abortReason(signal) : describe(error, proxy)));
      request.end();
    });
  }
}

/** Stops when an answer has come early, or the connection broke: whoever waits for the answer is told. */
async function sendBody(request: ClientRequest, body: AsyncIterable<Buffer>, onProgress: () => void): Promise<void> {
  for await (const chunk of body) {
    if (request.destroyed) return;
    if (!request.write(chunk)) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          request.off('drain', go).off('close', go);
          resolve();
        };
        request.on('drain', go).on('close', go);
      });
    }
    onProgress();
  }
  request.end();
}

/** What a TLS client sees when the other side speaks plain HTTP. */
export function isNotTls(error: unknown): boolean {
  return error instanceof TransportError && (error.reason === 'EPROTO' || error.reason.startsWith('ERR_SSL_'));
}

function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('cancelled');
}

/** In the words of Docker's daemon, with the address the user knows rather than the one dialled. */
function describe(error: unknown, url: URL): TransportError {
  if (error instanceof TransportError) return error;
  const { code = 'unknown', message } = error as NodeJS.ErrnoException;
  const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname;
  const address = `${host}:${url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port}`;
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: `dial tcp ${address}: connect: connection refused`,
    EHOSTUNREACH: `dial tcp ${address}: connect: no route to host`,
    ENETUNREACH: `dial tcp ${address}: connect: network is unreachable`,
    ETIMEDOUT: `dial tcp ${address}: i/o timeout`,
    ENOTFOUND: `dial tcp: lookup ${url.hostname}: no such host`,
    EAI_AGAIN: `dial tcp: lookup ${url.hostname}: temporary failure in name resolution`,
    ECONNRESET: 'connection reset by peer',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'tls: failed to verify certificate: it is signed by itself',
    SELF_SIGNED_CERT_IN_CHAIN: 'tls: failed to verify certificate: signed by unknown authority',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls: failed to verify certificate: signed by unknown authority',
    CERT_HAS_EXPIRED: 'tls: failed to verify certificate: it has expired',
  };
  return new TransportError(code, words[code] ?? message, { cause: error });
}
