/** `docker rmi`: the same rules, refusals and words as Docker's daemon. */
import { EngineError } from '../../contract/errors.ts';
import { shortId } from '../registry/reference.ts';
import type { ImageName, KnownImage } from '../state/images.ts';
import { collectGarbage } from './collect-garbage.ts';
import { chainIds, familiar, findImage, nameKey } from './find-image.ts';
import type { ImageParts } from './image-parts.ts';

export type RemovedEntry = { readonly Untagged: string } | { readonly Deleted: string };

/** Removes a name, and with the last name the image; by id, all names when they are of one repository. */
export async function removeImage(
  parts: ImageParts,
  text: string,
  options: { force: boolean },
): Promise<RemovedEntry[]> {
  const { image, reference } = findImage(parts.records, text);
  const names = parts.records.namesOf(image.id);
  const removed: RemovedEntry[] = [];
  const untag = (name: ImageName): void => {
    parts.records.removeName(name);
    removed.push({ Untagged: familiar(name) });
    parts.onEvent({ action: 'untag', id: image.id, name: familiar(name) });
  };
  if (reference !== undefined) {
    const key = nameKey(reference);
    const user = parts.imageUsers().find(({ imageId }) => imageId === image.id);
    if (!options.force && user !== undefined && isSingle(names)) {
      throw new EngineError(
        'conflict',
        `conflict: unable to remove repository reference "${text}" (must force) - container ${shortId(user.containerId)} is using its referenced image ${shortId(image.id)}`,
      );
    }
    for (const name of namesToDrop(names, key)) untag(name);
    if (parts.records.namesOf(image.id).length > 0) return removed;
    // With --force a name may go while a container still needs the image.
    if (options.force && conflictOf(parts, image, { force: true, named: false }) !== undefined) return removed;
    // What was built on it stays, and with it the image, without a name.
    if (parts.records.children(image.id).length > 0) return removed;
  } else {
    const conflict = conflictOf(parts, image, { force: options.force, named: !isSingle(names) });
    if (conflict !== undefined) throw conflict;
    for (const name of names) untag(name);
  }
  return [...removed, ...(await deleteImage(parts, image))];
}

/** Nobody uses or names it. The steps of the build that led to it go with it, as far as nothing else needs them. */
export async function deleteImage(parts: ImageParts, image: KnownImage): Promise<RemovedEntry[]> {
  const removed: RemovedEntry[] = [];
  for (let next: KnownImage | undefined = image; next !== undefined; next = unneededParent(parts, next)) {
    const { layers } = next;
    const chain = chainIds(next);
    const orphans = new Set(parts.records.remove(next.id).map(({ diffId }) => diffId));
    parts.onEvent({ action: 'delete', id: next.id, name: next.id });
    const gone = layers.flatMap(({ diffId }, index) => (orphans.has(diffId) ? [chain[index] ?? ''] : []));
    removed.push({ Deleted: next.id }, ...gone.reverse().map((id) => ({ Deleted: id })));
  }
  await collectGarbage(parts);
  return removed;
}

function unneededParent(parts: ImageParts, { parentId }: KnownImage): KnownImage | undefined {
  const parent = parentId === undefined ? undefined : parts.records.get(parentId);
  // Images that were brought from elsewhere are nobody's step.
  if (parent?.parentId === undefined) return undefined;
  const isNeeded =
    parts.records.namesOf(parent.id).length > 0 ||
    parts.records.children(parent.id).length > 0 ||
    parts.leases.isHeld(parent.id) ||
    parts.imageUsers().some(({ imageId }) => imageId === parent.id);
  return isNeeded ? undefined : parent;
}

/** The name itself, and the repository's digests once no tag of it is left. */
function namesToDrop(names: readonly ImageName[], key: ReturnType<typeof nameKey>): ImageName[] {
  const isSameRepository = (name: ImageName): boolean => name.domain === key.domain && name.path === key.path;
  const isMeant = (name: ImageName): boolean =>
    isSameRepository(name) && name.kind === key.kind && name.value === key.value;
  const tagsLeft = names.some((name) => isSameRepository(name) && name.kind === 'tag' && !isMeant(name));
  const dropDigests = key.kind === 'tag' && !tagsLeft;
  const meant = names.filter(isMeant);
  const digests = names.filter((name) => dropDigests && isSameRepository(name) && name.kind === 'digest');
  return [...meant, ...digests];
}

/** At most one tag, and digests of that repository only. */
function isSingle(names: readonly ImageName[]): boolean {
  const repositories = new Set(names.map(({ domain, path }) => `${domain}/${path}`));
  return names.filter(({ kind }) => kind === 'tag').length <= 1 && repositories.size <= 1;
}

function conflictOf(
  parts: ImageParts,
  image: KnownImage,
  options: { force: boolean; named: boolean },
): EngineError | undefined {
  const users = parts.imageUsers().filter(({ imageId }) => imageId === image.id);
  const running = users.find((user) => user.running);
  const refuse = (how: string, why: string): EngineError =>
    new EngineError('conflict', `conflict: unable to delete ${shortId(image.id)} (${how}) - ${why}`);
  if (parts.records.children(image.id).length > 0) {
    return refuse('cannot be forced', 'image has dependent child images');
  }
  if (running !== undefined) {
    return refuse('cannot be forced', `image is being used by running container ${shortId(running.containerId)}`);
  }
  if (options.force) return undefined;
  if (options.named) return refuse('must be forced', 'image is referenced in multiple repositories');
  const stopped = users[0];
  return stopped === undefined
    ? undefined
    : refuse('must be forced', `image is being used by stopped container ${shortId(stopped.containerId)}`);
}
