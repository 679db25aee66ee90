/** `docker image prune` and `docker builder prune`. */
import { EngineError } from '../../contract/errors.ts';
import { createdMs } from '../state/images.ts';
import { collectGarbage } from './collect-garbage.ts';
import { familiar } from './find-image.ts';
import type { KnownImage } from '../state/images.ts';
import type { ImageParts } from './image-parts.ts';
import { hasLabel, parseBoolean, parseTime } from './list-images.ts';
import type { ImageFilters } from './list-images.ts';
import { deleteImage } from './remove-image.ts';
import type { RemovedEntry } from './remove-image.ts';

export interface PruneResult {
  readonly ImagesDeleted: readonly RemovedEntry[] | null;
  readonly SpaceReclaimed: number;
}

export interface BuildPruneResult {
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

/** Images without a tag (`dangling`, the default), or all that no container uses. */
export async function pruneImages(parts: ImageParts, filters: ImageFilters): Promise<PruneResult> {
  checkNames(filters, ['dangling', 'until', 'label', 'label!']);
  const danglingOnly = (filters['dangling'] ?? ['true']).every(parseBoolean);
  const until = timeOf(filters);
  const { removed, reclaimedBytes } = await removeUnused(parts, (image) => {
    const isTagged = parts.records.namesOf(image.id).some(({ kind }) => kind === 'tag');
    const labelled =
      (filters['label'] ?? []).every((label) => hasLabel(image, label)) &&
      !(filters['label!'] ?? []).some((label) => hasLabel(image, label));
    return !(danglingOnly && isTagged) && createdMs(image.config) < until && labelled;
  });
  return { ImagesDeleted: removed.length === 0 ? null : removed, SpaceReclaimed: reclaimedBytes };
}

/** The classic builder's cache is its steps' images: those that nothing was built on since, and that have no name. */
export async function pruneBuildCache(parts: ImageParts, filters: ImageFilters): Promise<BuildPruneResult> {
  checkNames(filters, ['until']);
  const until = timeOf(filters);
  const images = new Set(parts.records.all().map(({ id }) => id));
  const { removed, reclaimedBytes } = await removeUnused(
    parts,
    (image) => image.parentId !== undefined && parts.records.namesOf(image.id).length === 0 && image.storedAtMs < until,
  );
  // Layers are told as deleted too.
  const ids = removed.flatMap((entry) => ('Deleted' in entry && images.has(entry.Deleted) ? [entry.Deleted] : []));
  return { CachesDeleted: ids.length === 0 ? null : ids, SpaceReclaimed: reclaimedBytes };
}

function checkNames(filters: ImageFilters, known: readonly string[]): void {
  const unknown = Object.keys(filters).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new EngineError('invalid-parameter', `Invalid filter '${unknown}'`);
}

function timeOf(filters: ImageFilters): number {
  return Math.min(...(filters['until'] ?? []).map(parseTime));
}

/** Those meant that no container, child or pull under way needs. Newest first, so that a build's steps go after it. */
async function removeUnused(
  parts: ImageParts,
  isMeant: (image: KnownImage) => boolean,
): Promise<{ readonly removed: readonly RemovedEntry[]; readonly reclaimedBytes: number }> {
  const removed: RemovedEntry[] = [];
  let reclaimedBytes = 0;
  for (const image of parts.records.all()) {
    const isUsed = parts.imageUsers().some(({ imageId }) => imageId === image.id);
    if (isUsed || !isMeant(image)) continue;
    if (parts.leases.isHeld(image.id) || parts.records.children(image.id).length > 0) continue;
    // It went with an image that was built on it.
    if (parts.records.get(image.id) === undefined) continue;
    const before = parts.records.layers();
    for (const name of parts.records.namesOf(image.id)) removed.push({ Untagged: familiar(name) });
    removed.push(...(await deleteImage(parts, image)));
    const after = new Set(parts.records.layers().map(({ diffId }) => diffId));
    reclaimedBytes += before
      .filter(({ diffId }) => !after.has(diffId))
      .reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  }
  await collectGarbage(parts);
  return { removed, reclaimedBytes };
}
