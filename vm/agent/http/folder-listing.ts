/** `GET /wherry/v1/{containers,volumes}/…/files?path=…`: what is in one folder, which Docker has no word for. */
import { EngineError } from '../../contract/errors.ts';
import type { FolderFiles } from '../../contract/wherry-api.ts';
import type { FolderListing } from '../runtime/files-program.ts';
import { listFolder } from '../use-cases/container-files.ts';
import type { Parts } from '../use-cases/parts.ts';
import { listVolumeFolder } from '../use-cases/volume-files.ts';
import { sendJson } from './reply.ts';
import type { Route } from './route.ts';

export function folderListingRoutes(parts: Parts): Route[] {
  return [
    {
      method: 'GET',
      path: '/wherry/v1/containers/:id/files',
      handle: async ({ response, params, query, signal }) => {
        const path = pathOf(query);
        sendJson(response, toFiles(await listFolder(parts, { reference: params.id ?? '', path }, signal)));
      },
    },
    {
      method: 'GET',
      path: '/wherry/v1/volumes/:name/files',
      handle: async ({ response, params, query, signal }) => {
        const path = pathOf(query);
        sendJson(response, toFiles(await listVolumeFolder(parts, { name: params.name ?? '', path }, signal)));
      },
    },
  ];
}

function pathOf(query: URLSearchParams): string {
  const path = query.get('path') ?? '';
  if (path === '') throw new EngineError('invalid-parameter', 'path: the folder is needed');
  return path;
}

function toFiles({ entries, more }: FolderListing): FolderFiles {
  return {
    entries: entries.map(({ name, mode, size, seconds, target }) => ({
      name,
      mode,
      sizeBytes: size,
      modifiedAtMs: seconds * 1000,
      target,
    })),
    more,
  };
}
