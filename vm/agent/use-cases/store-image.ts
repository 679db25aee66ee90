/** Stores an image that was made here: configuration and manifest as blobs, and its record. */
import { createHash } from 'node:crypto';
import { manifestMediaTypes } from '../registry/manifest.ts';
import type { KnownImage, StoredLayer } from '../state/images.ts';
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
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestMediaTypes.ociManifest,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: id, size: config.length },
      layers: image.layers.map(({ blobDigest, blobBytes }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: blobDigest,
        size: blobBytes,
      })),
    }),
  );
  const manifestDigest = digestOf(manifest);
  using _lease = parts.leases.hold([id, manifestDigest]);
  await parts.blobs.write(id, config);
  await parts.blobs.write(manifestDigest, manifest);
  parts.records.put({
    id,
    manifestDigest,
    configText: config.toString('utf8'),
    layers: image.layers,
    storedAtMs: parts.nowMs(),
    parentId: image.parentId,
  });
  const stored = parts.records.get(id);
  if (stored === undefined) throw new Error(`image ${id} is not on record`);
  return stored;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
