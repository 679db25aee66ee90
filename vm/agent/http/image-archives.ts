/** `/images/get`, `/images/load` and importing: images as archives. */
import { EngineError } from '../../contract/errors.ts';
import { errorText, log } from '../log.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import { loadImages } from '../use-cases/load-images.ts';
import { errorLine } from '../use-cases/pull-progress.ts';
import { saveImages } from '../use-cases/save-images.ts';
import { writeProgress } from './progress.ts';
import { booleanOf } from './query.ts';
import { writeChunk } from './reply.ts';
import type { Route, RouteContext } from './route.ts';
import { parsePlatform } from '../use-cases/registry-words.ts';

export function imageArchiveRoutes(parts: ImageParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/images/get',
      handle: (context) =>
        save(
          parts,
          context,
          context.query.getAll('names').flatMap((names) => names.split(',')),
        ),
    },
    {
      method: 'GET',
      path: '/images/*name/get',
      handle: (context) => save(parts, context, [context.params['name'] ?? '']),
    },
    { method: 'POST', path: '/images/load', handle: (context) => load(parts, context) },
  ];
}

async function save(parts: ImageParts, { response, signal }: RouteContext, names: readonly string[]): Promise<void> {
  using archive = await saveImages(
    parts,
    names.filter((name) => name !== ''),
  );
  response.writeHead(200, { 'Content-Type': 'application/x-tar' });
  for await (const chunk of archive.chunks) {
    signal.throwIfAborted();
    await writeChunk(response, chunk, signal);
  }
  response.end();
}

/** As in Docker, failures are the last line of an answer that began well. */
async function load(parts: ImageParts, { request, response, query, signal }: RouteContext): Promise<void> {
  try {
    const options = { quiet: booleanOf(query, 'quiet') };
    await loadImages(parts, request, options, (line) => writeProgress(response, line), signal);
  } catch (error) {
    if (signal.aborted) return;
    request.resume();
    if (!(error instanceof EngineError)) log.error('a load failed unexpectedly', error);
    writeProgress(response, errorLine(error instanceof Error ? error.message : errorText(error)));
  }
  response.end();
}

/** `POST /images/create?fromSrc=…` */
export async function importFrom(parts: ImageParts, context: RouteContext): Promise<void> {
  const { request, response, query, signal } = context;
  const source = query.get('fromSrc') ?? '';
  if (source !== '-') {
    throw new EngineError('not-implemented', 'importing from an address is not supported: download it and pipe it in');
  }
  // Boot does not wait for the Dockerfile's language.
  const { importImage } = await import('../use-cases/import-image.ts');
  const platform = query.get('platform') ?? '';
  const message = query.get('message') ?? '';
  try {
    const id = await importImage(
      parts,
      {
        repository: query.get('repo') ?? '',
        tag: query.get('tag') ?? '',
        message: message === '' ? `Imported from ${source}` : message,
        changes: query.getAll('changes'),
        platform: platform === '' ? undefined : parsePlatform(platform, parts.platform),
      },
      request,
      signal,
    );
    writeProgress(response, { status: id });
  } finally {
    request.resume();
  }
  response.end();
}
