/** Removes blobs and layers that no image record mentions and no work in progress holds. */
import type { ImageParts } from './image-parts.ts';

/** Returns the bytes of the files and blobs that went. Safe beside pulls: they hold leases on all they bring. */
export async function collectGarbage(parts: ImageParts): Promise<number> {
  const { records, blobs, snapshotter, leases } = parts;
  let freedBytes = 0;
  const keptLayers = new Set(records.layers().map(({ diffId }) => diffId));
  for (const diffId of await snapshotter.layers()) {
    if (keptLayers.has(diffId) || leases.isHeld(diffId) || records.layer(diffId) !== undefined) continue;
    await snapshotter.removeLayer(diffId);
  }
  const kept = wantedBlobs(parts);
  for (const digest of await blobs.list()) {
    if (kept.has(digest) || leases.isHeld(digest)) continue;
    // A pull may have taken it up since the list was made.
    if (wantedBlobs(parts).has(digest)) continue;
    freedBytes += (await blobs.size(digest)) ?? 0;
    await blobs.remove(digest);
  }
  return freedBytes;
}

function wantedBlobs({ records }: ImageParts): Set<string> {
  const wanted = new Set<string>();
  for (const image of records.all()) {
    wanted.add(image.id).add(image.manifestDigest);
    for (const layer of image.layers) wanted.add(layer.blobDigest);
  }
  for (const name of records.names()) if (name.kind === 'digest') wanted.add(name.value);
  return wanted;
}
