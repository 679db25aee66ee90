/** `docker system df`: what is on the data disk, and what shares it. Sizes are of files, as everywhere in the API. */
import { Filters } from '../filters.ts';
import { listContainers } from './list-containers.ts';
import { listImages } from './list-images.ts';
import type { ImageParts } from './image-parts.ts';
import { inspectVolume } from './manage-volumes.ts';
import type { Parts } from './parts.ts';
import { usersOfVolume } from './remove-container.ts';

export const dfTypes = ['container', 'image', 'volume', 'build-cache'] as const;
export type DfType = (typeof dfTypes)[number];

/** Only what was asked for: measuring takes time. */
export async function systemDf(parts: Parts, images: ImageParts, types: ReadonlySet<DfType>): Promise<object> {
  return {
    LayersSize: types.has('image') ? images.records.layers().reduce((sum, { fileBytes }) => sum + fileBytes, 0) : 0,
    Images: types.has('image') ? imageUse(parts, images) : null,
    Containers: types.has('container') ? await containerUse(parts) : null,
    Volumes: types.has('volume') ? await volumeUse(parts, images) : null,
    // Steps of builds are images, and counted there.
    BuildCache: types.has('build-cache') ? [] : null,
  };
}

function imageUse(parts: Parts, { records }: ImageParts): object[] {
  const users = new Map<string, number>();
  for (const { imageId } of parts.store.all()) users.set(imageId, (users.get(imageId) ?? 0) + 1);
  const listed = listImages(records, { all: true, filters: {}, sharedSize: true });
  return listed.map((image) => ({ ...image, Containers: users.get(image.Id) ?? 0 }));
}

function containerUse(parts: Parts): Promise<object[]> {
  return listContainers(parts, { all: true, limit: 0, size: true, filters: Filters.parse(null, []) });
}

async function volumeUse(parts: Parts, { program }: ImageParts): Promise<object[]> {
  const used: object[] = [];
  // One after the other: each reads a whole tree.
  for (const { name, mountpoint } of parts.volumes.all()) {
    const size = await program.folderBytes(mountpoint).catch(() => undefined); // removed meanwhile, or not made yet
    if (size === undefined) continue;
    const usage = { RefCount: usersOfVolume(parts, name).length, Size: size };
    used.push({ ...inspectVolume(parts, name), UsageData: usage });
  }
  return used;
}
