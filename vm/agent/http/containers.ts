/** `/containers/…`: everything but the streams, which are in `container-streams.ts`. */
import { Filters } from '../filters.ts';
import { pauseContainer, renameContainer, resizeContainer, unpauseContainer } from '../use-cases/change-container.ts';
import { createContainer } from '../use-cases/create-container.ts';
import { inspectContainer } from '../use-cases/inspect-container.ts';
import { killContainer } from '../use-cases/kill-container.ts';
import { listContainers, listFilterNames } from '../use-cases/list-containers.ts';
import type { Parts } from '../use-cases/parts.ts';
import { pruneContainers, pruneFilterNames } from '../use-cases/prune-containers.ts';
import { removeContainer } from '../use-cases/remove-container.ts';
import { restartContainer } from '../use-cases/restart-container.ts';
import { startContainer } from '../use-cases/start-container.ts';
import { stopContainer } from '../use-cases/stop-container.ts';
import { topContainer } from '../use-cases/top-container.ts';
import { updateContainer } from '../use-cases/update-container.ts';
import { parseAs, readBodyAs, readJson } from './body.ts';
import { booleanOf, integerOf, sizeOf } from './query.ts';
import { sendJson, sendNothing } from './reply.ts';
import type { Route, RouteContext } from './route.ts';

export function containerRoutes(parts: Parts): Route[] {
  return [
    {
      method: 'GET',
      path: '/containers/json',
      handle: async ({ response, query }) => {
        const request = {
          all: booleanOf(query, 'all'),
          limit: integerOf(query, 'limit') ?? 0,
          size: booleanOf(query, 'size'),
          filters: Filters.parse(query.get('filters'), listFilterNames),
        };
        sendJson(response, await listContainers(parts, request));
      },
    },
    {
      method: 'POST',
      path: '/containers/create',
      handle: async ({ request, response, query }) => {
        // The schemas are large; boot does not wait for them.
        const { createContainerBody } = await import('./create-body.ts');
        const { checkUnsupported } = await import('./unsupported-options.ts');
        const body = (await readJson(request)) ?? {};
        const wanted = parseAs(createContainerBody, body);
        const dropped = checkUnsupported((body as { HostConfig?: unknown }).HostConfig);
        const text = (key: string): string | undefined => query.get(key) || undefined;
        const { id, warnings } = await createContainer(parts, text('name'), wanted, { platform: text('platform') });
        sendJson(response, { Id: id, Warnings: [...dropped, ...warnings] }, 201);
      },
    },
    {
      method: 'POST',
      path: '/containers/prune',
      handle: async ({ response, query }) => {
        sendJson(response, await pruneContainers(parts, Filters.parse(query.get('filters'), pruneFilterNames)));
      },
    },
    {
      method: 'GET',
      path: '/containers/:id/json',
      handle: async ({ response, params, query }) => {
        sendJson(response, await inspectContainer(parts, params.id ?? '', booleanOf(query, 'size')));
      },
    },
    {
      method: 'GET',
      path: '/containers/:id/top',
      handle: async ({ response, params, query }) => {
        sendJson(response, await topContainer(parts, params.id ?? '', query.get('ps_args') ?? ''));
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/update',
      handle: async ({ request, response, params }) => {
        const { updateContainerBody } = await import('./update-body.ts');
        const body = await readBodyAs(request, updateContainerBody);
        sendJson(response, { Warnings: await updateContainer(parts, params.id ?? '', body) });
      },
    },
    {
      method: 'DELETE',
      path: '/containers/:id',
      handle: async ({ response, params, query }) => {
        await removeContainer(parts, params.id ?? '', {
          force: booleanOf(query, 'force'),
          volumes: booleanOf(query, 'v'),
        });
        sendNothing(response);
      },
    },
    ...actions(parts),
  ];
}

/** Those that answer nothing. */
function actions(parts: Parts): Route[] {
  const action = (name: string, work: (id: string, query: URLSearchParams) => Promise<void>, status = 204): Route => ({
    method: 'POST',
    // Docker's routes take names with slashes too: there is no such container.
    path: `/containers/*id/${name}`,
    handle: async ({ response, params, query }: RouteContext) => {
      await work(params.id ?? '', query);
      sendNothing(response, status);
    },
  });
  const stopOptions = (query: URLSearchParams) => ({
    signal: query.get('signal') ?? undefined,
    timeoutSeconds: integerOf(query, 't'),
  });
  return [
    action('start', (id) => startContainer(parts, id)),
    action('stop', (id, query) => stopContainer(parts, id, stopOptions(query))),
    action('restart', (id, query) => restartContainer(parts, id, stopOptions(query))),
    action('kill', (id, query) => killContainer(parts, id, query.get('signal') ?? '')),
    action('pause', (id) => pauseContainer(parts, id)),
    action('unpause', (id) => unpauseContainer(parts, id)),
    action('rename', (id, query) => renameContainer(parts, id, query.get('name') ?? '')),
    action('resize', (id, query) => resizeContainer(parts, id, sizeOf(query)), 200),
  ];
}
