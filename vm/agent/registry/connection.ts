/** Requests to one registry: which way they go, credentials, redirects. */
import { EngineError } from '../../contract/errors.ts';
import { Authorizer } from './auth.ts';
import type { Credentials } from './auth.ts';
import { describeFailure, isStatus } from './failure.ts';
import { isInsecureAllowed, refuseHop } from './network.ts';
import { registryHost } from './reference.ts';
import type { RepositoryName } from './reference.ts';
import { isNotTls, TransportError } from './transport.ts';
import type { HttpAnswer, RequestBody, Transport } from './transport.ts';

const maxRedirects = 5;

export interface RegistryRequest {
  readonly method: string;
  /** Beneath the repository (`blobs/…`) or, with a slash first, the registry; or an address that the registry gave. */
  readonly target: string | URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** What a token has to allow: `repository:name:pull`. */
  readonly scope: string;
}

export class RegistryConnection {
  private readonly transport: Transport;
  private readonly repository: RepositoryName;
  private readonly authorizer: Authorizer;

  constructor(transport: Transport, repository: RepositoryName, credentials: Credentials | undefined) {
    this.transport = transport;
    this.repository = repository;
    this.authorizer = new Authorizer(transport, credentials);
  }

  /** An answer of an accepted status. Rejects with {@link StatusError}, EngineError or TransportError. */
  async send(request: RegistryRequest, accepted: readonly number[], signal: AbortSignal): Promise<HttpAnswer> {
    for (let tries = 0; ; tries += 1) {
      const authorization = this.authorizer.header(request.scope);
      const first = await this.request(request, authorization, signal);
      const answer =
        request.body === undefined ? await this.followRedirects(first, request, authorization, signal) : first;
      if (isStatus(answer, ...accepted)) return answer;
      if (answer.status === 401 && tries < 2 && (await this.authorizer.answer(answer, request.scope, signal))) {
        answer.body.destroy();
        continue;
      }
      throw await describeFailure(this.transport, answer, signal);
    }
  }

  /** Where an answer says to go on. Never from a registry elsewhere to the user's own machine. */
  locationOf(answer: HttpAnswer): URL {
    const target = parseUrl(answer.headers.location ?? '', answer.url);
    if (target === undefined) throw new EngineError('system', `${answer.url.host} names no place to upload to`);
    const refused = refuseHop(answer.url, target, this.transport.network);
    if (refused !== undefined) {
      throw new EngineError('forbidden', `the upload to ${answer.url.host} was not followed: ${refused}`);
    }
    return target;
  }

  /** Over TLS, or over plain HTTP where that is allowed and TLS turns out not to be spoken. */
  private async request(
    { method, target, headers, body }: RegistryRequest,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const host = registryHost(this.repository);
    const isOwn = typeof target === 'string' || target.host === new URL(`https://${host}`).host || target.host === host;
    const exchange = {
      method,
      headers: { ...headers, ...authorizationHeader(isOwn ? authorization : undefined) },
      body,
      signal,
    };
    if (typeof target !== 'string') return await this.dial(target, exchange);
    const path = target.startsWith('/') ? target : `/v2/${this.repository.path}/${target}`;
    const secure = new URL(`https://${host}${path}`);
    const plain = new URL(`http://${host}${path}`);
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
    { method, headers }: RegistryRequest,
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
      answer = await this.transport.request(target, { method, headers: { ...headers, ...kept }, signal });
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
