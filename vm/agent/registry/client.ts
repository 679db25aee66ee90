/** The pulling half of the OCI distribution specification 1.1, for one repository. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import { Authorizer } from './auth.ts';
import type { Credentials } from './auth.ts';
import { readAll } from './body.ts';
import { describeFailure, isStatus, StatusError } from './failure.ts';
import { limits, manifestMediaTypes } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { isInsecureAllowed, refuseHop } from './network.ts';
import { isDigest, registryHost } from './reference.ts';
import type { RepositoryName } from './reference.ts';
import type { BlobStream, ContentSource, FetchedManifest } from './source.ts';
import { isNotTls, TransportError } from './transport.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const maxRedirects = 5;
const maxAttempts = 5;
const maxTagBytes = 4 * 1024 * 1024;
const acceptedManifests = Object.values(manifestMediaTypes).join(', ');

export class RegistryClient implements ContentSource {
  private readonly transport: Transport;
  private readonly repository: RepositoryName;
  private readonly authorizer: Authorizer;
  private readonly firstRetryMs: number;

  constructor(
    transport: Transport,
    repository: RepositoryName,
    credentials: Credentials | undefined,
    options: { firstRetryMs?: number } = {},
  ) {
    this.transport = transport;
    this.repository = repository;
    this.authorizer = new Authorizer(transport, credentials);
    this.firstRetryMs = options.firstRetryMs ?? 250;
  }

  async manifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest> {
    return this.retried(signal, async () => {
      const answer = await this.get(`manifests/${tagOrDigest}`, { Accept: acceptedManifests }, signal);
      const bytes = await readAll(this.transport, answer, limits.manifestBytes, signal);
      const digest = digestOf(bytes);
      const said = answer.headers['docker-content-digest'];
      const expected = isDigest(tagOrDigest) ? tagOrDigest : typeof said === 'string' && isDigest(said) ? said : digest;
      if (digest !== expected) throw wrongDigest('manifest', expected, digest);
      return { bytes, digest, mediaType: answer.headers['content-type'] };
    });
  }

  async blob(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer> {
    return this.retried(signal, async () => {
      const answer = await this.get(`blobs/${descriptor.digest}`, {}, signal);
      const bytes = await readAll(this.transport, answer, descriptor.size, signal);
      const digest = digestOf(bytes);
      if (digest !== descriptor.digest) throw wrongDigest('blob', descriptor.digest, digest);
      return bytes;
    });
  }

  async open(descriptor: Descriptor, offset: number, signal: AbortSignal): Promise<BlobStream> {
    const headers: Record<string, string> = offset > 0 ? { Range: `bytes=${offset}-` } : {};
    const answer = await this.get(`blobs/${descriptor.digest}`, headers, signal);
    const start = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1];
    const isPart = answer.status === 206;
    if (isPart && Number(start) !== offset) {
      answer.body.destroy();
      throw new EngineError(
        'system',
        `${answer.url.host} sent another part of ${descriptor.digest} than was asked for`,
      );
    }
    return { offset: isPart ? offset : 0, chunks: this.transport.chunks(answer, signal) };
  }

  /** All tags of the repository. */
  async tags(signal: AbortSignal): Promise<string[]> {
    return this.retried(signal, async () => {
      const answer = await this.get('tags/list', {}, signal);
      const text = (await readAll(this.transport, answer, maxTagBytes, signal)).toString('utf8');
      try {
        return z.object({ tags: z.array(z.string()).nullable() }).parse(JSON.parse(text)).tags ?? [];
      } catch (cause) {
        throw new EngineError('system', `${answer.url.host} sent a malformed list of tags`, { cause });
      }
    });
  }

  retryDelayMs(error: unknown, attempt: number): number | undefined {
    if (attempt >= maxAttempts) return undefined;
    const busy = error instanceof StatusError && (error.status >= 500 || error.status === 429);
    const broken = error instanceof TransportError && error.transient;
    if (!busy && !broken) return undefined;
    const backOffMs = this.firstRetryMs * 2 ** (attempt - 1);
    const askedMs = error instanceof StatusError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    return Math.min(Math.max(backOffMs, askedMs), 15_000);
  }

  private async retried<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        const waitMs = signal.aborted ? undefined : this.retryDelayMs(error, attempt);
        if (waitMs === undefined) throw error;
        await delay(waitMs, undefined, { signal });
      }
    }
  }

  /** A 200 or 206, after authentication and redirects. Rejects with {@link StatusError}, EngineError or TransportError. */
  private async get(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    const scope = `repository:${this.repository.path}:pull`;
    for (let tries = 0; ; tries += 1) {
      const authorization = this.authorizer.header(scope);
      const first = await this.request(path, { ...headers, ...authorizationHeader(authorization) }, signal);
      const answer = await this.followRedirects(first, headers, authorization, signal);
      if (isStatus(answer, 200, 206)) return answer;
      if (answer.status === 401 && tries < 2 && (await this.authorizer.answer(answer, scope, signal))) {
        answer.body.destroy();
        continue;
      }
      throw await describeFailure(this.transport, answer, signal);
    }
  }

  /** Over TLS, or over plain HTTP where that is allowed and TLS turns out not to be spoken. */
  private async request(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const host = registryHost(this.repository);
    const secure = new URL(`https://${host}/v2/${this.repository.path}/${path}`);
    const plain = new URL(`http://${host}/v2/${this.repository.path}/${path}`);
    const exchange = { method: 'GET', headers, signal };
    if (!isInsecureAllowed(secure, this.transport.network)) return await this.dial(secure, exchange);
    if (this.transport.plainHosts.get(host) === true) return await this.dial(plain, exchange);
    try {
      return await this.dial(secure, exchange);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      // Refused connections too: the error shall name the way that was allowed, as Docker's does.
      if (!isNotTls(cause) && !(cause instanceof TransportError && cause.reason === 'ECONNREFUSED')) throw error;
      const answer = await this.dial(plain, exchange);
      this.transport.plainHosts.set(host, true);
      return answer;
    }
  }

  private async dial(url: URL, exchange: Parameters<Transport['request']>[1]): Promise<HttpAnswer> {
    try {
      return await this.transport.request(url, exchange);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      throw new TransportError(error.reason, `Get "${url.origin}/v2/": ${error.message}`, { cause: error });
    }
  }

  /** Credentials stay with the host they are for. */
  private async followRedirects(
    first: HttpAnswer,
    headers: Readonly<Record<string, string>>,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    let answer = first;
    for (let hops = 0; isStatus(answer, 301, 302, 303, 307, 308); hops += 1) {
      answer.body.destroy();
      const location = answer.headers.location;
      const target = location === undefined || hops === maxRedirects ? undefined : parseUrl(location, answer.url);
      if (target === undefined)
        throw new EngineError('system', `${answer.url.host} redirects in circles or to nowhere`);
      const refused = refuseHop(answer.url, target, this.transport.network);
      if (refused !== undefined) {
        throw new EngineError('forbidden', `the redirect of ${answer.url.host} was not followed: ${refused}`);
      }
      const kept = target.origin === first.url.origin ? authorizationHeader(authorization) : {};
      answer = await this.transport.request(target, { method: 'GET', headers: { ...headers, ...kept }, signal });
    }
    return answer;
  }
}

function authorizationHeader(value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { Authorization: value };
}

function parseUrl(text: string, base: URL): URL | undefined {
  return URL.canParse(text, base.href) ? new URL(text, base) : undefined;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function wrongDigest(what: string, expected: string, got: string): EngineError {
  return new EngineError('system', `${what} verification failed for digest ${expected}: the content has ${got}`);
}
