/** One repository of a registry: the OCI distribution specification 1.1, "Pull" and "Push". */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import type { Credentials } from './auth.ts';
import { readAll } from './body.ts';
import { RegistryConnection } from './connection.ts';
import { StatusError } from './failure.ts';
import { limits, manifestMediaTypes } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { readNames } from './name-list.ts';
import type { NameList, Page } from './name-list.ts';
import { isDigest, isPath, isTag, registryHost, searchHost } from './reference.ts';
import type { RepositoryName } from './reference.ts';
import type { BlobStream, ContentSource, FetchedManifest } from './source.ts';
import { TransportError } from './transport.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const usualAttempts = 5;
const maxListBytes = 4 * 1024 * 1024;
const acceptedManifests = Object.values(manifestMediaTypes).join(', ');

const searchSchema = z.object({
  results: z
    .array(
      z.object({
        name: z.string(),
        description: z
          .string()
          .nullish()
          .transform((text) => text ?? ''),
        star_count: z.number().default(0),
        is_official: z.boolean().default(false),
        is_automated: z.boolean().default(false),
      }),
    )
    .max(1000),
});
export type FoundRepository = z.infer<typeof searchSchema>['results'][number];

export class RegistryClient implements ContentSource {
  private readonly transport: Transport;
  private readonly repository: RepositoryName;
  private readonly connection: RegistryConnection;
  private readonly scope: string;
  private readonly pushScope: string;
  private readonly firstRetryMs: number;
  private readonly maxAttempts: number;

  constructor(
    transport: Transport,
    repository: RepositoryName,
    credentials: Credentials | undefined,
    options: { firstRetryMs?: number; maxAttempts?: number } = {},
  ) {
    this.transport = transport;
    this.repository = repository;
    this.connection = new RegistryConnection(transport, repository, credentials);
    this.scope = `repository:${repository.path}:pull`;
    this.pushScope = `repository:${repository.path}:pull,push`;
    this.firstRetryMs = options.firstRetryMs ?? 250;
    this.maxAttempts = options.maxAttempts ?? usualAttempts;
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

  /** The repository's tags, `limit` at most. */
  tags(limit: number, signal: AbortSignal): Promise<NameList> {
    const path = `/v2/${this.repository.path}/tags/list`;
    return readNames(path, 'tags', limit, isTag, (target) => this.readList(target, this.scope, signal));
  }

  /** The registry's repositories, where it tells them; `limit` at most. */
  repositories(limit: number, signal: AbortSignal): Promise<NameList> {
    const scope = 'registry:catalog:*';
    return readNames('/v2/_catalog', 'repositories', limit, isPath, (target) => this.readList(target, scope, signal));
  }

  /** Whether the registry is there and takes the credentials. */
  async ping(signal: AbortSignal): Promise<void> {
    const answer = await this.connection.send({ method: 'GET', target: '/v2/', headers: {}, scope: '' }, [200], signal);
    answer.body.destroy();
  }

  /** Repositories whose name or description holds the word, where the registry can search. */
  async search(word: string, limit: number, signal: AbortSignal): Promise<FoundRepository[]> {
    const path = `/v1/search?q=${encodeURIComponent(word)}&n=${limit}`;
    const host = searchHost(this.repository);
    const target = host === registryHost(this.repository) ? path : new URL(`https://${host}${path}`);
    const answer = await this.connection.send({ method: 'GET', target, headers: {}, scope: '' }, [200], signal);
    const text = (await readAll(this.transport, answer, maxListBytes, signal)).toString('utf8');
    try {
      return searchSchema.parse(JSON.parse(text)).results;
    } catch (cause) {
      throw new EngineError('system', `${host} sent malformed search results`, { cause });
    }
  }

  /** Whether the repository has it. */
  async hasBlob(digest: string, signal: AbortSignal): Promise<boolean> {
    const request = { method: 'HEAD', target: `blobs/${digest}`, headers: {}, scope: this.pushScope };
    const answer = await this.retried(signal, () => this.connection.send(request, [200, 404], signal));
    answer.body.destroy();
    return answer.status === 200;
  }

  /** Takes it over from another repository of the registry. False: it has to be uploaded. */
  async mountBlob(digest: string, from: string, signal: AbortSignal): Promise<boolean> {
    const target = `blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`;
    try {
      const answer = await this.connection.send(
        { method: 'POST', target, headers: {}, body: '', scope: this.pushScope },
        [201, 202],
        signal,
      );
      answer.body.destroy();
      if (answer.status === 202) await this.cancelUpload(answer, signal);
      return answer.status === 201;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StatusError) return false; // no right to read there, or no such word: the upload will tell
      throw error;
    }
  }

  /** In one piece. `open` is called again when it has to be sent again. */
  async uploadBlob(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    open: () => AsyncIterable<Buffer>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.retried(signal, async () => {
      const begin = { method: 'POST', target: 'blobs/uploads/', headers: {}, body: '', scope: this.pushScope };
      const begun = await this.connection.send(begin, [202], signal);
      begun.body.destroy();
      const target = this.connection.locationOf(begun);
      target.searchParams.set('digest', descriptor.digest);
      const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(descriptor.size) };
      const done = await this.connection.send(
        { method: 'PUT', target, headers, body: open, scope: this.pushScope },
        [201, 204],
        signal,
      );
      done.body.destroy();
    });
  }

  async putManifest(tag: string, bytes: Buffer, mediaType: string, signal: AbortSignal): Promise<void> {
    const headers = { 'Content-Type': mediaType, 'Content-Length': String(bytes.length) };
    const request = { method: 'PUT', target: `manifests/${tag}`, headers, body: bytes, scope: this.pushScope };
    const answer = await this.retried(signal, () => this.connection.send(request, [200, 201, 202], signal));
    answer.body.destroy();
  }

  private async cancelUpload(begun: HttpAnswer, signal: AbortSignal): Promise<void> {
    const request = { method: 'DELETE', target: this.connection.locationOf(begun), headers: {}, scope: this.pushScope };
    const answer = await this.connection.send(request, [200, 202, 204, 404, 405], signal);
    answer.body.destroy();
  }

  retryDelayMs(error: unknown, attempt: number): number | undefined {
    if (attempt >= this.maxAttempts) return undefined;
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

  private readList(target: string, scope: string, signal: AbortSignal): Promise<Page> {
    return this.retried(signal, async () => {
      const answer = await this.connection.send({ method: 'GET', target, headers: {}, scope }, [200], signal);
      return { answer, text: (await readAll(this.transport, answer, maxListBytes, signal)).toString('utf8') };
    });
  }

  private get(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    return this.connection.send({ method: 'GET', target: path, headers, scope: this.scope }, [200, 206], signal);
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function wrongDigest(what: string, expected: string, got: string): EngineError {
  return new EngineError('system', `${what} verification failed for digest ${expected}: the content has ${got}`);
}
