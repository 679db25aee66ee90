/** `docker login` and `docker search`, lists of names: what is asked of a registry rather than of one of its repositories. */
import { EngineError } from '../../contract/errors.ts';
import type { Credentials } from '../registry/auth.ts';
import { StatusError } from '../registry/failure.ts';
import type { NameList } from '../registry/name-list.ts';
import { parseReference } from '../registry/reference.ts';
import { TransportError } from '../registry/transport.ts';
import type { FoundRepository } from '../registry/client.ts';
import type { ImageParts } from './image-parts.ts';

/** Resolves when the registry takes the credentials. */
export async function checkLogin(
  parts: ImageParts,
  serverAddress: string,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<void> {
  const domain = domainOf(serverAddress);
  try {
    await parts.connect({ domain, path: '' }, credentials).ping(signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : refusal(error, domain);
  }
}

export interface SearchRequest {
  /** `word`, or `registry/word`. */
  readonly term: string;
  readonly limit: number;
  /** Undefined: either. */
  readonly official: boolean | undefined;
  readonly minStars: number;
}

export async function searchImages(
  parts: ImageParts,
  request: SearchRequest,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<FoundRepository[]> {
  const slash = request.term.indexOf('/');
  const first = request.term.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost';
  const domain = isHost ? domainOf(first) : 'docker.io';
  const word = isHost ? request.term.slice(slash + 1) : request.term;
  let found: FoundRepository[];
  try {
    found = await parts.connect({ domain, path: '' }, credentials).search(word, request.limit, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : refusal(error, domain);
  }
  return found.filter(
    ({ is_official, star_count }) =>
      (request.official === undefined || request.official === is_official) && star_count >= request.minStars,
  );
}

/** As many names as a client gets to choose from. */
const maxNames = 10_000;

/** The tags of a repository, in the registry's order. */
export async function listTags(
  parts: ImageParts,
  name: string,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<NameList> {
  const { domain, path } = parseReference(name);
  try {
    return await parts.connect({ domain, path }, credentials).tags(maxNames, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : refusal(error, domain);
  }
}

/** The repositories of a registry, in its order. Not every registry tells. */
export async function listRepositories(
  parts: ImageParts,
  server: string,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<NameList> {
  const domain = domainOf(server);
  try {
    return await parts.connect({ domain, path: '' }, credentials).repositories(maxNames, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : refusal(error, domain);
  }
}

/** Clients name Docker's own registry by an address of old. */
function domainOf(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  if (!/^[a-zA-Z0-9.[\]:-]+$/.test(host))
    throw new EngineError('invalid-parameter', `invalid registry address: ${address}`);
  return host === 'index.docker.io' ? 'docker.io' : host;
}

function refusal(error: unknown, domain: string): unknown {
  const cause = { cause: error };
  if (error instanceof TransportError) return new EngineError('system', error.message, cause);
  if (!(error instanceof StatusError)) return error;
  if (error.status === 401 || error.status === 403) {
    const text = error.code === undefined ? 'unauthorized: authentication required' : error.message;
    return new EngineError('unauthorized', `${domain}: ${text}`, cause);
  }
  const code = error.status === 404 ? 'not-found' : 'system';
  return new EngineError(code, `${domain}: ${error.message}`, cause);
}
