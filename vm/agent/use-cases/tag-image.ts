/** `docker tag`. */
import { EngineError } from '../../contract/errors.ts';
import { familiarString, parseReference, withDefaultTag } from '../registry/reference.ts';
import { findImage, nameKey } from './find-image.ts';
import type { ImageParts } from './image-parts.ts';

export function tagImage(parts: ImageParts, source: string, target: { repo: string; tag: string }): void {
  const { image } = findImage(parts.records, source);
  const parsed = parseReference(target.tag === '' ? target.repo : `${target.repo}:${target.tag}`);
  if (parsed.digest !== undefined) {
    throw new EngineError('invalid-parameter', 'refusing to create a tag with a digest reference');
  }
  const reference = withDefaultTag(parsed);
  parts.records.setName({ ...nameKey(reference), imageId: image.id, namedAtMs: parts.nowMs() });
  parts.onEvent({ action: 'tag', id: image.id, name: familiarString(reference) });
}
