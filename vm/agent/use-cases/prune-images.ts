/** `docker image prune`. */
import { EngineError } from '../../contract/errors.ts';
import { createdMs } from '../state/images.ts';
import { collectGarbage } from './collect-garbage.ts';
import { familiar } from './find-image.ts';
import type { ImageParts } from './image-parts.ts';
import { hasLabel, parseBoolean, parseTime } from './list-images.ts';
import type { ImageFilters } from './list-images.ts';
import { deleteImage } from './remove-image.ts';
import type { RemovedEntry } from './remove-image.ts';

export interface PruneResult {
  readonly ImagesDeleted: readonly RemovedEntry[] | null;
  readonly SpaceReclaimed: number;
}

/** Images without a tag (`dangling`, the default), or all that no container uses. */
export async function pruneImages(parts: ImageParts, filters: ImageFilters): Promise<PruneResult> {
  const unknown = Object.keys(filters).find((name) => !['dangling', 'until', 'label', 'label!'].includes(name));
  if (unknown !== undefined) throw new EngineError('invalid-parameter', `invalid filter '${unknown}'`);
  const danglingOnly = (filters['dangling'] ?? ['true']).every(parseBoolean);
  const until = Math.min(...(filters['until'] ?? []).map(parseTime));
  const removed: RemovedEntry[] = [];
  let reclaimedBytes = 0;
  for (const image of parts.records.all()) {
    const names = parts.records.namesOf(image.id);
    const isTagged = names.some(({ kind }) => kind === 'tag');
    const isUsed = parts.imageUsers().some(({ imageId }) => imageId === image.id);
    const labelled =
      (filters['label'] ?? []).every((label) => hasLabel(image, label)) &&
      !(filters['label!'] ?? []).some((label) => hasLabel(image, label));
    if (isUsed || (danglingOnly && isTagged) || createdMs(image.config) >= until || !labelled) continue;
    if (parts.leases.isHeld(image.id) || parts.records.children(image.id).length > 0) continue;
    // It went with an image that was built on it.
    if (parts.records.get(image.id) === undefined) continue;
    const before = parts.records.layers();
    for (const name of names) removed.push({ Untagged: familiar(name) });
    removed.push(...(await deleteImage(parts, image)));
    const after = new Set(parts.records.layers().map(({ diffId }) => diffId));
    reclaimedBytes += before
      .filter(({ diffId }) => !after.has(diffId))
      .reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  }
  await collectGarbage(parts);
  return { ImagesDeleted: removed.length === 0 ? null : removed, SpaceReclaimed: reclaimedBytes };
}
