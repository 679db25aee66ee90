/** `/images/…` of the Engine API. */
import { EngineError } from '../../contract/errors.ts';
import { errorText, log } from '../log.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import { imageHistory, inspectImage } from '../use-cases/inspect-image.ts';
import { listImages } from '../use-cases/list-images.ts';
import { pruneImages } from '../use-cases/prune-images.ts';
import { pullAllTags, pullImage } from '../use-cases/pull-image.ts';
import { errorLine } from '../use-cases/pull-progress.ts';
import type { ProgressLine } from '../use-cases/pull-progress.ts';
import { parsePullRequest } from '../use-cases/pull-request.ts';
import { pushImage } from '../use-cases/push-image.ts';
import { removeImage } from '../use-cases/remove-image.ts';
import { tagImage } from '../use-cases/tag-image.ts';
import { skipBody } from './body.ts';
import { parseImageFilters } from './image-filters.ts';
import { imageArchiveRoutes, importFrom } from './image-archives.ts';
import { authHeader, registryRoutes } from './registries.ts';
import { writeProgress } from './progress.ts';
import { booleanOf } from './query.ts';
import { sendJson } from './reply.ts';
import type { Route, RouteContext } from './route.ts';
import { parseReference, parseRegistryAuth } from '../use-cases/registry-words.ts';
import { compareVersions } from './version.ts';

export function imageRoutes(parts: ImageParts): Route[] {
  return [
    ...imageArchiveRoutes(parts),
    ...registryRoutes(parts),
    { method: 'POST', path: '/images/create', handle: (context) => createImage(parts, context) },
    {
      method: 'GET',
      path: '/images/json',
      handle: ({ response, query }) => {
        const options = {
          all: booleanOf(query, 'all'),
          filters: parseImageFilters(query.get('filters')),
          sharedSize: booleanOf(query, 'shared-size'),
        };
        sendJson(response, listImages(parts.records, options));
        return Promise.resolve();
      },
    },
    {
      method: 'POST',
      path: '/images/prune',
      handle: async ({ response, query }) => {
        sendJson(response, await pruneImages(parts, parseImageFilters(query.get('filters'))));
      },
    },
    {
      method: 'GET',
      path: '/images/*name/json',
      handle: ({ request, response, params, apiVersion }) => {
        const inspected = inspectImage(parts.records, params['name'] ?? '');
        sendJson(response, { ...inspected, ...droppedFields(inspected, apiVersion, request.headers['user-agent']) });
        return Promise.resolve();
      },
    },
    {
      method: 'GET',
      path: '/images/*name/history',
      handle: ({ response, params }) => {
        sendJson(response, imageHistory(parts.records, params['name'] ?? ''));
        return Promise.resolve();
      },
    },
    {
      method: 'POST',
      path: '/images/*name/tag',
      handle: ({ response, params, query }) => {
        tagImage(parts, params['name'] ?? '', { repo: query.get('repo') ?? '', tag: query.get('tag') ?? '' });
        response.writeHead(201).end();
        return Promise.resolve();
      },
    },
    { method: 'POST', path: '/images/*name/push', handle: (context) => push(parts, context) },
    {
      method: 'DELETE',
      path: '/images/*name',
      handle: async ({ response, params, query }) => {
        sendJson(response, await removeImage(parts, params['name'] ?? '', { force: booleanOf(query, 'force') }));
      },
    },
  ];
}

async function createImage(parts: ImageParts, context: RouteContext): Promise<void> {
  const { request, query, signal } = context;
  const fromImage = query.get('fromImage') ?? '';
  if (fromImage === '') return importFrom(parts, context);
  const wanted = parsePullRequest(
    {
      fromImage,
      tag: query.get('tag') ?? '',
      platform: query.get('platform') ?? '',
      registryAuth: authHeader(request),
    },
    parts.platform,
  );
  await stream(context, (report) => (wanted.allTags ? pullAllTags : pullImage)(parts, wanted, report, signal));
}

async function push(parts: ImageParts, context: RouteContext): Promise<void> {
  const { request, params, query, signal } = context;
  const named = parseReference(params['name'] ?? '');
  const tag = query.get('tag') ?? '';
  const reference =
    tag === '' ? named : { ...named, ...parseReference(`x:${tag}`), domain: named.domain, path: named.path };
  const credentials = parseRegistryAuth(authHeader(request));
  await skipBody(request); // old clients say there what the header says now
  await stream(context, (report) => pushImage(parts, { reference, credentials }, report, signal));
}

/** A failure before the first line is an HTTP status; after it, the stream's last line. */
async function stream(
  { response, signal }: RouteContext,
  work: (report: (line: ProgressLine) => void) => Promise<void>,
): Promise<void> {
  try {
    await work((line) => writeProgress(response, line));
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/json' });
  } catch (error) {
    if (signal.aborted) return;
    if (!response.headersSent) throw error;
    if (!(error instanceof EngineError)) log.error('a transfer failed unexpectedly', error);
    writeProgress(response, errorLine(error instanceof Error ? error.message : errorText(error)));
  }
  response.end();
}

/**
 * What newer versions of the API leave out. docker-compose 1.29 asks for the newest version there is and cannot recreate a
 * container without the old fields, so it gets them in any.
 */
export function droppedFields(
  { Size, Config }: Readonly<Record<string, unknown>>,
  apiVersion: string,
  userAgent: string | undefined,
): object {
  const isOldCompose = userAgent?.startsWith('docker-compose/1.') === true;
  return {
    ...(compareVersions(apiVersion, '1.44') < 0 && { VirtualSize: Size }),
    ...((isOldCompose || compareVersions(apiVersion, '1.45') < 0) && { Container: '', ContainerConfig: Config }),
  };
}
