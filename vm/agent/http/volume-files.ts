/** `/wherry/v1/volumes/:name/…`: files out of and into volumes, whole volumes copied. Docker has no word for these. */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import type { VolumeCloneMessage, VolumeUsage } from '../../contract/wherry-api.ts';
import { errorText, log } from '../log.ts';
import { cloneVolume } from '../use-cases/clone-volume.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import type { Parts } from '../use-cases/parts.ts';
import {
  exportVolume,
  importVolume,
  readVolumeArchive,
  volumeBytes,
  writeVolumeArchive,
  type VolumePath,
} from '../use-cases/volume-files.ts';
import { readBodyAs } from './body.ts';
import { pathStat, sendArchive } from './container-files.ts';
import { sendJson, sendNothing } from './reply.ts';
import type { Route, RouteContext } from './route.ts';

const cloneBody = z.object({ name: z.string().min(1) });
const tar = { 'Content-Type': 'application/x-tar' };

export function volumeFileRoutes(parts: Parts, { program }: Pick<ImageParts, 'program'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/wherry/v1/volumes/:name/archive',
      handle: async (context) => {
        const wanted = volumePath(context);
        await readVolumeArchive(parts, wanted, context.signal, (found, archive) =>
          sendArchive(context, archive, { ...tar, 'X-Docker-Container-Path-Stat': pathStat(wanted.path, found) }),
        );
        context.response.end();
      },
    },
    {
      method: 'PUT',
      path: '/wherry/v1/volumes/:name/archive',
      handle: async (context) => {
        const { request, response, signal } = context;
        try {
          await writeVolumeArchive(parts, volumePath(context), request, signal);
        } finally {
          request.resume(); // what an archive holds after its end, or after an error
        }
        response.writeHead(200).end();
      },
    },
    {
      method: 'GET',
      path: '/wherry/v1/volumes/:name/usage',
      handle: async ({ response, params }) => {
        const usage: VolumeUsage = { sizeBytes: await volumeBytes(parts, program, params.name ?? '') };
        sendJson(response, usage);
      },
    },
    {
      method: 'GET',
      path: '/wherry/v1/volumes/:name/export',
      handle: async (context) => {
        const { params, response, signal } = context;
        await exportVolume(parts, params.name ?? '', signal, (archive) => sendArchive(context, archive, tar));
        response.end();
      },
    },
    {
      method: 'POST',
      path: '/wherry/v1/volumes/:name/import',
      handle: async ({ request, response, params, signal }) => {
        try {
          await importVolume(parts, program, { name: params.name ?? '', archive: request }, signal);
        } finally {
          request.resume();
        }
        sendNothing(response, 201);
      },
    },
    { method: 'POST', path: '/wherry/v1/volumes/:name/clone', handle: (context) => clone(parts, program, context) },
  ];
}

function volumePath({ params, query }: RouteContext): VolumePath {
  const path = query.get('path') ?? '';
  if (path === '') throw new EngineError('invalid-parameter', 'path: the file or folder is needed');
  return { name: params.name ?? '', path };
}

/** A failure before the first line is an HTTP status; after it, the last line. */
async function clone(
  parts: Parts,
  program: ImageParts['program'],
  { request, response, params, signal }: RouteContext,
): Promise<void> {
  const { name: to } = await readBodyAs(request, cloneBody);
  const tell = (message: VolumeCloneMessage): void => {
    if (response.destroyed) return;
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write(`${JSON.stringify(message)}\n`);
  };
  try {
    await cloneVolume(parts, program, { from: params.name ?? '', to }, signal, tell);
  } catch (error) {
    if (signal.aborted) return;
    if (!response.headersSent) throw error;
    if (!(error instanceof EngineError)) log.error('a clone failed unexpectedly', error);
    tell({ kind: 'failed', message: errorText(error) });
  }
  response.end();
}
