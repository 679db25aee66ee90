/** `GET /wherry/v1/containers/:id/files?path=…`: what is in one folder of a container, which Docker has no word for. */
import { EngineError } from '../../contract/errors.ts';
import type { ContainerFolder } from '../../contract/wherry-api.ts';
import { listFolder } from '../use-cases/container-files.ts';
import type { Parts } from '../use-cases/parts.ts';
import { sendJson } from './reply.ts';
import type { Route } from './route.ts';

export function folderListingRoutes(parts: Parts): Route[] {
  return [
    {
      method: 'GET',
      path: '/wherry/v1/containers/:id/files',
      handle: async ({ response, params, query, signal }) => {
        const path = query.get('path') ?? '';
        if (path === '') throw new EngineError('invalid-parameter', 'path: the folder is needed');
        const { entries, more } = await listFolder(parts, { reference: params.id ?? '', path }, signal);
        const folder: ContainerFolder = {
          entries: entries.map(({ name, mode, size, seconds, target }) => ({
            name,
            mode,
            sizeBytes: size,
            modifiedAtMs: seconds * 1000,
            target,
          })),
          more,
        };
        sendJson(response, folder);
      },
    },
  ];
}
