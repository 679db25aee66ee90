/** `/auth`, `/distribution/…`, `/images/search`, `/wherry/v1/registries/…`: what is asked of registries. */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import { Filters } from '../filters.ts';
import { checkLogin, listRepositories, listTags, searchImages } from '../use-cases/ask-registry.ts';
import type { RegistryNames } from '../../contract/wherry-api.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import { inspectDistribution } from '../use-cases/inspect-distribution.ts';
import { readBodyAs } from './body.ts';
import { integerOf } from './query.ts';
import { sendJson } from './reply.ts';
import type { Route, RouteContext } from './route.ts';
import { parseRegistryAuth } from '../use-cases/registry-words.ts';

const maxResults = 100;
const loginBody = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  serveraddress: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});

export function registryRoutes(parts: ImageParts): Route[] {
  return [
    {
      method: 'POST',
      path: '/auth',
      handle: async ({ request, response, signal }) => {
        const body = await readBodyAs(request, loginBody);
        const credentials = {
          username: body.username,
          password: body.password,
          identityToken: body.identitytoken,
          registryToken: body.registrytoken === '' ? undefined : body.registrytoken,
        };
        const address = body.serveraddress ?? '';
        await checkLogin(parts, address === '' ? 'docker.io' : address, credentials, signal);
        sendJson(response, { IdentityToken: '', Status: 'Login Succeeded' });
      },
    },
    {
      method: 'GET',
      path: '/distribution/*name/json',
      handle: async ({ request, response, params, signal }) => {
        const credentials = parseRegistryAuth(authHeader(request));
        sendJson(response, await inspectDistribution(parts, params['name'] ?? '', credentials, signal));
      },
    },
    {
      method: 'GET',
      path: '/wherry/v1/registries/tags',
      handle: async ({ request, response, query, signal }) => {
        const name = query.get('name') ?? '';
        if (name === '') throw new EngineError('invalid-parameter', 'name: the repository is needed');
        const credentials = parseRegistryAuth(authHeader(request));
        const tags: RegistryNames = await listTags(parts, name, credentials, signal);
        sendJson(response, tags);
      },
    },
    {
      method: 'GET',
      path: '/wherry/v1/registries/repositories',
      handle: async ({ request, response, query, signal }) => {
        const server = query.get('server') ?? '';
        if (server === '') throw new EngineError('invalid-parameter', 'server: the registry is needed');
        const credentials = parseRegistryAuth(authHeader(request));
        const repositories: RegistryNames = await listRepositories(parts, server, credentials, signal);
        sendJson(response, repositories);
      },
    },
    { method: 'GET', path: '/images/search', handle: (context) => search(parts, context) },
  ];
}

export function authHeader(request: RouteContext['request']): string | undefined {
  const auth = request.headers['x-registry-auth'];
  return Array.isArray(auth) ? auth[0] : auth;
}

async function search(parts: ImageParts, { request, response, query, signal }: RouteContext): Promise<void> {
  const limit = integerOf(query, 'limit') ?? 0;
  if (limit < 0 || limit > maxResults) {
    throw new EngineError('invalid-parameter', `Limit ${limit} is outside the range of [1, ${maxResults}]`);
  }
  const filters = Filters.parse(query.get('filters'), ['is-official', 'is-automated', 'stars']);
  const [official] = filters.get('is-official');
  const stars = Math.max(0, ...filters.get('stars').map(Number));
  if (!Number.isInteger(stars)) throw new EngineError('invalid-parameter', "Invalid filter 'stars'");
  const wanted = {
    term: query.get('term') ?? '',
    limit: limit === 0 ? 25 : limit,
    official: official === undefined ? undefined : ['1', 'true'].includes(official),
    minStars: stars,
  };
  if (wanted.term === '') throw new EngineError('invalid-parameter', 'invalid search: no term');
  sendJson(response, await searchImages(parts, wanted, parseRegistryAuth(authHeader(request)), signal));
}
