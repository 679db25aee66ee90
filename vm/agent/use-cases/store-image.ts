/** Stores an image that was made here: configuration and manifest as blobs, and its record. */
import { createHash } from 'node:crypto';
import { manifestMediaTypes } from '../registry/manifest.ts';
import type { KnownImage, StoredLayer } from '../state/images.ts';
import { layerMediaType } from './add-layer.ts';
import type { ImageParts } from './image-parts.ts';

export interface NewImage {
  /** The configuration but for `rootfs`, which follows from the layers. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Lowest first; the caller holds leases on those that no record mentions yet. */
  readonly layers: readonly StoredLayer[];
  readonly parentId: string;
}

/** Resolves with the image, which has no name yet. The same content gives the same id. */
export async function storeImage(parts: ImageParts, image: NewImage): Promise<KnownImage> {
  const rootfs = { type: 'layers', diff_ids: image.layers.map(({ diffId }) => diffId) };
  const config = Buffer.from(JSON.stringify({ ...image.config, rootfs }));
  const id = digestOf(config);
  using _lease = parts.leases.hold([id]);
  await parts.blobs.write(id, config);
  using manifest = await writeManifest(parts, id, config.length, image.layers);
  parts.records.put({
    id,
    manifestDigest: manifest.digest,
    configText: config.toString('utf8'),
    layers: image.layers,
    storedAtMs: parts.nowMs(),
    parentId: image.parentId,
  });
  const stored = parts.records.get(id);
  if (stored === undefined) throw new Error(`image ${id} is not on record`);
  return stored;
}

/** The manifest of an image that came without one, stored; safe from garbage collection until disposed. */
export async function writeManifest(
  parts: ImageParts,
  configDigest: string,
  configBytes: number,
  layers: readonly StoredLayer[],
): Promise<Disposable & { readonly digest: string }> {
  const described = layers.map(async ({ blobDigest, blobBytes }) => ({
    mediaType: await layerMediaType(parts.blobs, blobDigest),
    digest: blobDigest,
    size: blobBytes,
  }));
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestMediaTypes.ociManifest,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: configDigest, size: configBytes },
      layers: await Promise.all(described),
    }),
  );
  const digest = digestOf(bytes);
  const lease = parts.leases.hold([digest]);
  try {
    await parts.blobs.write(digest, bytes);
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
  return { digest, [Symbol.dispose]: () => lease[Symbol.dispose]() };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
