/** A container's root filesystem: its image's layers and what it writes. */
import type { RootFilesystem } from '../runtime/runtime.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { idRangeOf } from '../state/container-store.ts';
import type { Parts } from './parts.ts';
import { diskLimitOf } from './size-limit.ts';

/** What XFS wants to be free before it makes a folder, and more. */
const mountRoomBytes = 1024 * 1024;

/** Made at its first use, for whatever purpose that is; the same from then on. */
export async function prepareContainerRoot(
  parts: Pick<Parts, 'images'>,
  record: ContainerRecord,
): Promise<RootFilesystem> {
  const image = await parts.images.resolve(record.imageId);
  const limit = diskLimitOf(record);
  return parts.images.prepareRoot(record.id, image, {
    ownerId: idRangeOf(record)?.base ?? 0,
    ...(limit === undefined ? {} : { limit }),
  });
}

/**
 * overlayfs makes its work folder anew at each mount, and mounts read-only where it cannot: a container that has reached its
 * limit could not even remove files. So the limit is wider while the root is mounted.
 */
export async function withRoomToMount<Result>(
  parts: Pick<Parts, 'images'>,
  record: ContainerRecord,
  mount: () => Promise<Result>,
): Promise<Result> {
  const limit = diskLimitOf(record);
  if (limit === undefined) return mount();
  await parts.images.setLimit({ ...limit, bytes: limit.bytes + mountRoomBytes });
  try {
    return await mount();
  } finally {
    await parts.images.setLimit(limit);
  }
}
