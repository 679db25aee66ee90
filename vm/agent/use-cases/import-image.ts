/** `docker import`: an image of one layer, from the archive of a root file system. */
import type { Readable } from 'node:stream';
import { EngineError } from '../../contract/errors.ts';
import { rfc3339Now } from '../clock.ts';
import type { Platform } from '../registry/platform.ts';
import { familiarString, parseReference, withDefaultTag } from '../registry/reference.ts';
import { scratch } from '../state/images.ts';
import { addLayer } from './add-layer.ts';
import { applyChanges } from './commit-container.ts';
import { nameKey } from './find-image.ts';
import type { ImageParts } from './image-parts.ts';
import { storeImage } from './store-image.ts';

export interface ImportRequest {
  /** `name[:tag]`, or empty. */
  readonly repository: string;
  readonly tag: string;
  readonly message: string;
  /** Instructions of a Dockerfile, such as `CMD ["sh"]`. */
  readonly changes: readonly string[];
  readonly platform: Platform | undefined;
}

/** Resolves with the image's id. */
export async function importImage(
  parts: ImageParts,
  request: ImportRequest,
  archive: Readable,
  signal: AbortSignal,
): Promise<string> {
  const reference =
    request.repository === ''
      ? undefined
      : withDefaultTag(
          parseReference(request.tag === '' ? request.repository : `${request.repository}:${request.tag}`),
        );
  if (reference?.digest !== undefined) {
    throw new EngineError('invalid-parameter', 'cannot import digest reference');
  }
  const settings = applyChanges({}, request.changes);
  using added = await addLayer(parts, archive, undefined, signal);
  const created = rfc3339Now();
  const { os, architecture, ...variant } = request.platform ?? parts.platform;
  const image = await storeImage(parts, {
    parentId: scratch,
    layers: [added.layer],
    config: {
      ...{ architecture, os, ...variant },
      created,
      config: settings,
      comment: request.message,
      history: [{ created, comment: request.message }],
    },
  });
  if (reference !== undefined) {
    parts.records.setName({ ...nameKey(reference), imageId: image.id, namedAtMs: parts.nowMs() });
  }
  parts.onEvent({
    action: 'import',
    id: image.id,
    name: reference === undefined ? image.id : familiarString(reference),
  });
  return image.id;
}
