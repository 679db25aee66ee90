/** `/commit` and `/containers/{id}/changes`: what a container has become. */
import { containerChanges } from '../use-cases/container-changes.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import type { Parts } from '../use-cases/parts.ts';
import { readBodyAs } from './body.ts';
import { booleanOf } from './query.ts';
import { sendJson } from './reply.ts';
import type { Route } from './route.ts';

export function commitRoutes(parts: Parts, images: ImageParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/containers/:id/changes',
      handle: async ({ response, params }) => {
        sendJson(response, await containerChanges(parts, images, params.id ?? ''));
      },
    },
    {
      method: 'POST',
      path: '/commit',
      handle: async ({ request, response, query, signal }) => {
        // Boot does not wait for the Dockerfile's language.
        const { commitBody } = await import('./commit-body.ts');
        const { commitContainer } = await import('../use-cases/commit-container.ts');
        const settings = await readBodyAs(request, commitBody);
        const id = await commitContainer(
          parts,
          images,
          {
            container: query.get('container') ?? '',
            repository: query.get('repo') ?? '',
            tag: query.get('tag') ?? '',
            author: query.get('author') ?? '',
            comment: query.get('comment') ?? '',
            pause: booleanOf(query, 'pause', true),
            changes: query.getAll('changes'),
            settings,
          },
          signal,
        );
        sendJson(response, { Id: id }, 201);
      },
    },
  ];
}
