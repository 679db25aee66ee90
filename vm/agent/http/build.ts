/** `/build`: the classic builder. `/_ping` names it (`Builder-Version: 1`), and there is no `/session`, so that clients fall back to it. */
import { EngineError } from '../../contract/errors.ts';
import { drained } from '../drained.ts';
import { errorText, log } from '../log.ts';
import type { BuildOutput, BuildRequest } from '../use-cases/build-request.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import type { Parts } from '../use-cases/parts.ts';
import { pruneBuildCache } from '../use-cases/prune-images.ts';
import { parseImageFilters } from './image-filters.ts';
import { writeProgressLine } from './progress.ts';
import { booleanOf } from './query.ts';
import { sendJson } from './reply.ts';
import type { Route, RouteContext } from './route.ts';

export function buildRoutes(parts: Parts, images: ImageParts): Route[] {
  return [
    {
      method: 'POST',
      path: '/build',
      handle: (context) => build(parts, images, context),
    },
    {
      method: 'POST',
      path: '/build/prune',
      handle: async ({ response, query }) => {
        sendJson(response, await pruneBuildCache(images, parseImageFilters(query.get('filters'))));
      },
    },
  ];
}

/** A failure before the first line is an HTTP status; after it, the stream's last line. */
async function build(
  parts: Parts,
  images: ImageParts,
  { request, response, query, signal }: RouteContext,
): Promise<void> {
  if (query.get('version') === '2') {
    throw new EngineError('invalid-parameter', 'buildkit is not supported by this engine: use the classic builder');
  }
  // Boot does not wait for the Dockerfile's language.
  const { parseBuildQuery } = await import('./build-query.ts');
  const { buildImage, exitCodeOf } = await import('../use-cases/build-image.ts');
  const { parseRemote } = await import('../use-cases/build-context.ts');
  const wanted: BuildRequest = parseBuildQuery(query, request.headers['x-registry-config']);
  const remote = query.get('remote') ?? '';
  const context = remote === '' ? request : parseRemote(remote);
  const quiet = booleanOf(query, 'q');
  const output: BuildOutput = {
    tell: (line) => {
      if (!quiet) writeProgressLine(response, line);
    },
    taken: () => drained(response, signal),
  };
  try {
    const id = await buildImage(parts, images, wanted, context, output, signal);
    if (quiet) writeProgressLine(response, { stream: `${id}\n` });
  } catch (error) {
    if (signal.aborted) return;
    if (!response.headersSent && exitCodeOf(error) === undefined) throw error;
    if (!(error instanceof EngineError)) log.error('a build failed unexpectedly', error);
    const message = error instanceof Error ? error.message : errorText(error);
    const code = exitCodeOf(error);
    writeProgressLine(response, { errorDetail: { ...(code === undefined ? {} : { code }), message }, error: message });
  }
  response.end();
}
