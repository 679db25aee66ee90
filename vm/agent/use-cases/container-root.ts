/** A container's root filesystem: its image's layers and what it writes. */
import type { RootFilesystem } from '../runtime/runtime.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { idRangeOf } from '../state/container-store.ts';
import type { Parts } from './parts.ts';
import { diskLimitOf } from './size-limit.ts';

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
