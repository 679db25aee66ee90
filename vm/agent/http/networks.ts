/** `/networks`, read-only, and the host's end of published ports. */
import { EngineError } from '../../contract/errors.ts';
import { Filters } from '../filters.ts';
import { inspectNetwork, listNetworks, networkFilterNames } from '../use-cases/list-networks.ts';
import type { Parts } from '../use-cases/parts.ts';
import { skipBody } from './body.ts';
import { hijack } from './hijack.ts';
import { sendJson } from './reply.ts';
import type { Route } from './route.ts';

export function networkRoutes(parts: Pick<Parts, 'network'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/networks',
      handle: ({ response, query }) => {
        sendJson(response, listNetworks(parts, Filters.parse(query.get('filters'), networkFilterNames)));
        return Promise.resolve();
      },
    },
    {
      method: 'GET',
      path: '/networks/:id',
      handle: ({ response, params }) => {
        sendJson(response, inspectNetwork(parts, params.id ?? ''));
        return Promise.resolve();
      },
    },
    {
      method: 'POST',
      path: '/wherry/v1/ports',
      handle: async ({ request, response }) => {
        await skipBody(request);
        if (request.headers.upgrade !== 'tcp') throw new EngineError('invalid-parameter', 'Upgrade: tcp is needed');
        const host = await hijack(request, response, 'raw-stream');
        parts.network.serveHost(host);
        host.resume();
      },
    },
  ];
}
