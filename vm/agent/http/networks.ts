/** `/networks`, and the host's end of published ports. */
import { EngineError } from '../../contract/errors.ts';
import { Filters } from '../filters.ts';
import { inspectNetwork, listNetworks, networkFilterNames } from '../use-cases/list-networks.ts';
import {
  connectContainer,
  createNetwork,
  disconnectContainer,
  pruneNetworkFilterNames,
  pruneNetworks,
  removeNetwork,
} from '../use-cases/manage-networks.ts';
import type { Parts } from '../use-cases/parts.ts';
import { readBodyAs, skipBody } from './body.ts';
import { hijack } from './hijack.ts';
import { sendJson, sendNothing } from './reply.ts';
import type { Route } from './route.ts';

export function networkRoutes(parts: Parts): Route[] {
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
      path: '/networks/create',
      handle: async ({ request, response }) => {
        const { createNetworkBody } = await import('./network-body.ts');
        const { id, warning } = await createNetwork(parts, await readBodyAs(request, createNetworkBody));
        sendJson(response, { Id: id, Warning: warning }, 201);
      },
    },
    {
      method: 'POST',
      path: '/networks/prune',
      handle: async ({ response, query }) => {
        const deleted = await pruneNetworks(parts, Filters.parse(query.get('filters'), pruneNetworkFilterNames));
        sendJson(response, { NetworksDeleted: deleted.length > 0 ? deleted : null });
      },
    },
    {
      method: 'DELETE',
      path: '/networks/:id',
      handle: async ({ response, params }) => {
        await removeNetwork(parts, params.id ?? '');
        sendNothing(response);
      },
    },
    {
      method: 'POST',
      path: '/networks/:id/connect',
      handle: async ({ request, response, params }) => {
        const { connectBody } = await import('./network-body.ts');
        await connectContainer(parts, params.id ?? '', await readBodyAs(request, connectBody));
        sendNothing(response, 200);
      },
    },
    {
      method: 'POST',
      path: '/networks/:id/disconnect',
      handle: async ({ request, response, params }) => {
        const { disconnectBody } = await import('./network-body.ts');
        await disconnectContainer(parts, params.id ?? '', await readBodyAs(request, disconnectBody));
        sendNothing(response, 200);
      },
    },
    {
      method: 'POST',
      path: '/wherry/v1/ports',
      takesOver: true,
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
