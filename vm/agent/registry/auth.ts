/** Challenges and tokens (distribution specification, "Token Authentication"; RFC 9110 §11). */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import { refuseHop } from './network.ts';
import type { HttpAnswer, Transport } from './transport.ts';
import { readAll } from './body.ts';

/** What the `X-Registry-Auth` header carries. */
export interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identityToken?: string | undefined;
  readonly registryToken?: string | undefined;
}

export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const maxTokenBytes = 256 * 1024;
const authHeader = z
  .object({
    username: z.string().optional(),
    password: z.string().optional(),
    auth: z.string().optional(),
    identitytoken: z.string().optional(),
    registrytoken: z.string().optional(),
  })
  .loose();

/** Reads the header (base64url of JSON); undefined when there is none or it says nothing. */
export function parseRegistryAuth(header: string | undefined): Credentials | undefined {
  if (header === undefined || header === '') return undefined;
  let parsed: z.infer<typeof authHeader>;
  try {
    parsed = authHeader.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) ?? {});
  } catch (cause) {
    throw new EngineError('invalid-parameter', 'invalid X-Registry-Auth header', { cause });
  }
  const [user, ...rest] = Buffer.from(parsed.auth ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const credentials: Credentials = {
    username: parsed.username ?? (parsed.auth === undefined ? undefined : user),
    password: parsed.password ?? (parsed.auth === undefined ? undefined : rest.join(':')),
    identityToken: parsed.identitytoken,
    registryToken: parsed.registrytoken,
  };
  return Object.values(credentials).some((value) => value !== undefined && value !== '') ? credentials : undefined;
}

/** `Bearer realm="https://…",service="…"`, several after each other. */
export function parseChallenges(header: string | undefined): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const pattern = /([A-Za-z0-9_-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+)))?/g;
  for (const [, word = '', quoted, bare] of (header ?? '').matchAll(pattern)) {
    if (quoted === undefined && bare === undefined) challenges.push({ scheme: word.toLowerCase(), parameters: {} });
    else {
      const current = challenges.at(-1);
      if (current !== undefined) current.parameters[word.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
    }
  }
  return challenges;
}

/** The `Authorization` headers for one registry, with one set of credentials. */
export class Authorizer {
  private readonly transport: Transport;
  private readonly credentials: Credentials | undefined;
  /** By scope. */
  private readonly headers = new Map<string, string>();

  constructor(transport: Transport, credentials: Credentials | undefined) {
    this.transport = transport;
    this.credentials = credentials;
  }

  header(scope: string): string | undefined {
    if (this.credentials?.registryToken !== undefined) return `Bearer ${this.credentials.registryToken}`;
    return this.headers.get(scope);
  }

  /** Answers a 401. False: there is nothing (more) to offer. */
  async answer(refused: HttpAnswer, scope: string, signal: AbortSignal): Promise<boolean> {
    if (this.credentials?.registryToken !== undefined) return false;
    const header = refused.headers['www-authenticate'];
    for (const challenge of parseChallenges(Array.isArray(header) ? header.join(', ') : header)) {
      if (challenge.scheme === 'bearer') {
        this.headers.set(scope, `Bearer ${await this.fetchToken(challenge, refused.url, scope, signal)}`);
        return true;
      }
      const basic = this.basic();
      if (challenge.scheme === 'basic' && basic !== undefined) {
        if (this.headers.get(scope) === basic) return false;
        this.headers.set(scope, basic);
        return true;
      }
    }
    return false;
  }

  private basic(): string | undefined {
    const { username, password } = this.credentials ?? {};
    if (username === undefined || username === '') return undefined;
    return `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
  }

  private async fetchToken(challenge: Challenge, registry: URL, scope: string, signal: AbortSignal): Promise<string> {
    const realm = parseRealm(challenge.parameters['realm'] ?? '', registry);
    const refused = refuseHop(registry, realm, this.transport.network);
    if (refused !== undefined) throw new EngineError('forbidden', `token server of ${registry.host}: ${refused}`);
    const service = challenge.parameters['service'];
    const identityToken = this.credentials?.identityToken;
    const answer =
      identityToken !== undefined && identityToken !== ''
        ? await this.postForToken(realm, { service, scope, identityToken }, signal)
        : await this.getToken(realm, { service, scope }, signal);
    if (answer.status !== 200) {
      answer.body.destroy();
      if (answer.status === 401 || answer.status === 403) {
        throw new EngineError('unauthorized', `unauthorized: ${realm.host} refused the user name or password`);
      }
      throw new EngineError('system', `token server ${realm.host}: unexpected status ${answer.status}`);
    }
    const text = (await readAll(this.transport, answer, maxTokenBytes, signal)).toString('utf8');
    const token = parseToken(text);
    if (token === undefined) throw new EngineError('system', `token server ${realm.host}: the answer holds no token`);
    return token;
  }

  private getToken(
    realm: URL,
    wanted: { service: string | undefined; scope: string },
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const url = new URL(realm);
    if (wanted.service !== undefined) url.searchParams.set('service', wanted.service);
    if (wanted.scope !== '') url.searchParams.set('scope', wanted.scope);
    const basic = this.basic();
    if (basic !== undefined) url.searchParams.set('account', this.credentials?.username ?? '');
    const headers: Record<string, string> = basic === undefined ? {} : { Authorization: basic };
    return this.transport.request(url, { method: 'GET', headers, signal });
  }

  private postForToken(
    realm: URL,
    wanted: { service: string | undefined; scope: string; identityToken: string },
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'wherry',
      service: wanted.service ?? '',
      scope: wanted.scope,
      refresh_token: wanted.identityToken,
    });
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return this.transport.request(realm, { method: 'POST', headers, body: body.toString(), signal });
  }
}

function parseRealm(text: string, registry: URL): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new EngineError('system', `${registry.host} names no valid token server`, { cause });
  }
}

function parseToken(text: string): string | undefined {
  try {
    const value = z
      .object({ token: z.string().optional(), access_token: z.string().optional() })
      .parse(JSON.parse(text));
    const token = value.token ?? value.access_token;
    // A header cannot carry anything else.
    return token !== undefined && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
  } catch {
    return undefined; // the caller says that there is no token
  }
}
