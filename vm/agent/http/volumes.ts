/** `/volumes`. */
import { Filters } from '../filters.ts';
import {
  createVolume,
  inspectVolume,
  listVolumes,
  pruneVolumes,
  removeVolume,
  volumeFilterNames,
  volumePruneFilterNames,
} from '../use-cases/manage-volumes.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import type { Parts } from '../use-cases/parts.ts';
import { readBodyAs } from './body.ts';
import { booleanOf } from './query.ts';
import { sendJson, sendNothing } from './reply.ts';
import type { Route } from './route.ts';
import { compareVersions } from './version.ts';

/** Before it, pruning took named volumes too. */
const firstVersionOfAll = '1.42';

export function volumeRoutes(parts: Parts, images: Pick<ImageParts, 'program'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/volumes',
      handle: ({ response, query }) => {
        sendJson(response, listVolumes(parts, Filters.parse(query.get('filters'), volumeFilterNames)));
        return Promise.resolve();
      },
    },
    {
      method: 'POST',
      path: '/volumes/create',
      handle: async ({ request, response }) => {
        const { createVolumeBody } = await import('./volume-body.ts');
        sendJson(response, await createVolume(parts, await readBodyAs(request, createVolumeBody)), 201);
      },
    },
    {
      method: 'POST',
      path: '/volumes/prune',
      handle: async ({ response, query, apiVersion }) => {
        const filters = Filters.parse(query.get('filters'), volumePruneFilterNames);
        const namedToo = compareVersions(apiVersion, firstVersionOfAll) < 0;
        sendJson(response, await pruneVolumes(parts, images.program, filters, namedToo));
      },
    },
    {
      method: 'GET',
      path: '/volumes/:name',
      handle: ({ response, params }) => {
        sendJson(response, inspectVolume(parts, params.name ?? ''));
        return Promise.resolve();
      },
    },
    {
      method: 'DELETE',
      path: '/volumes/:name',
      handle: async ({ response, params, query }) => {
        await removeVolume(parts, params.name ?? '', booleanOf(query, 'force'));
        sendNothing(response);
      },
    },
  ];
}
