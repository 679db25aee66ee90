/** The manifest by which an image leaves this engine. */
import { manifestMediaTypes, parseManifest } from '../registry/manifest.ts';
import type { Descriptor } from '../registry/manifest.ts';
import type { KnownImage } from '../state/images.ts';
import type { ImageParts } from './image-parts.ts';
import { writeManifest } from './store-image.ts';

/** Its blobs are in the store, and stay until it is disposed. */
export interface LeavingManifest extends Disposable {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
}

/**
 * The one the image came with; or another with the same content, when the blobs it names are not all kept: a layer that two
 * images share is kept as the first of them had it compressed.
 */
export async function leavingManifest(parts: ImageParts, image: KnownImage): Promise<LeavingManifest> {
  const blobs = [image.id, image.manifestDigest, ...image.layers.map(({ blobDigest }) => blobDigest)];
  const lease = parts.leases.hold(blobs);
  const leases: Disposable[] = [lease];
  const dispose = (): void => leases.forEach((one) => one[Symbol.dispose]());
  try {
    const original = await readManifest(parts, image.manifestDigest);
    const sizes = await Promise.all(original.layers.map(({ digest }) => parts.blobs.size(digest)));
    if (!sizes.includes(undefined)) {
      leases.push(parts.leases.hold(original.layers.map(({ digest }) => digest)));
      return { ...original, [Symbol.dispose]: dispose };
    }
    const made = await writeManifest(parts, image.id, original.config.size, image.layers);
    leases.push(made);
    return { ...(await readManifest(parts, made.digest)), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function readManifest(parts: ImageParts, digest: string): Promise<Omit<LeavingManifest, typeof Symbol.dispose>> {
  const bytes = await parts.blobs.read(digest);
  const parsed = parseManifest(bytes, undefined, digest);
  if (parsed.kind !== 'manifest') throw new Error(`${digest} is an index, not an image's manifest`);
  const { mediaType } = JSON.parse(bytes.toString('utf8')) as { mediaType?: string };
  const { config, layers } = parsed.manifest;
  return { bytes, digest, mediaType: mediaType ?? manifestMediaTypes.ociManifest, config, layers };
}
