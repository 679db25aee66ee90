/** `docker save`: images as one archive that is an OCI layout and has the `manifest.json` of older tools as well. */
import { EngineError } from '../../contract/errors.ts';
import { tarArchive } from '../content/tar-writer.ts';
import type { TarMember } from '../content/tar-writer.ts';
import { manifestMediaTypes } from '../registry/manifest.ts';
import { familiarString } from '../registry/reference.ts';
import type { ImageReference } from '../registry/reference.ts';
import type { KnownImage } from '../state/images.ts';
import { findImage } from './find-image.ts';
import { leavingManifest } from './image-manifest.ts';
import type { LeavingManifest } from './image-manifest.ts';
import type { ImageParts } from './image-parts.ts';

interface Chosen {
  readonly image: KnownImage;
  /** Tags that were asked for; none when it was found by its id. */
  readonly references: ImageReference[];
  readonly manifest: LeavingManifest;
}

/** An archive about to be read; its blobs stay until it is disposed. */
export interface SavedArchive extends Disposable {
  readonly chunks: AsyncGenerator<Buffer, void, void>;
}

/** Rejects before anything is sent when an image is unknown or its content incomplete. */
export async function saveImages(parts: ImageParts, names: readonly string[]): Promise<SavedArchive> {
  if (names.length === 0) throw new EngineError('invalid-parameter', 'no images were named');
  const chosen: Chosen[] = [];
  const dispose = (): void => chosen.forEach(({ manifest }) => manifest[Symbol.dispose]());
  try {
    await choose(parts, names, chosen);
    const digests = chosen.flatMap(({ manifest: { digest, config, layers } }) => [
      ...[digest, config.digest],
      ...layers.map((layer) => layer.digest),
    ]);
    const members = [...(await blobMembers(parts, new Set(digests))), ...describing(chosen)];
    for (const { image, references } of chosen) {
      const [reference] = references;
      const name = reference === undefined ? image.id : familiarString(reference);
      parts.onEvent({ action: 'save', id: image.id, name });
    }
    return { chunks: tarArchive(members), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** One entry for each image, in the order of their names. */
async function choose(parts: ImageParts, names: readonly string[], chosen: Chosen[]): Promise<void> {
  for (const name of names) {
    const { image, reference } = findImage(parts.records, name);
    let entry = chosen.find((one) => one.image.id === image.id);
    if (entry === undefined) {
      entry = { image, references: [], manifest: await leavingManifest(parts, image) };
      chosen.push(entry);
    }
    if (reference !== undefined && reference.digest === undefined) entry.references.push(reference);
  }
}

async function blobMembers(parts: ImageParts, digests: Iterable<string>): Promise<TarMember[]> {
  const members: TarMember[] = [{ name: 'blobs/' }, { name: 'blobs/sha256/' }];
  for (const digest of [...digests].sort()) {
    const size = await parts.blobs.size(digest);
    if (size === undefined) throw new EngineError('system', `blob ${digest} is missing: pull the image again`);
    members.push({ name: blobName(digest), content: { file: parts.blobs.path(digest), size } });
  }
  return members;
}

function describing(chosen: readonly Chosen[]): TarMember[] {
  const index = {
    schemaVersion: 2,
    mediaType: manifestMediaTypes.ociIndex,
    manifests: chosen.flatMap(({ references, manifest: { mediaType, digest, bytes } }) => {
      const entry = { mediaType, digest, size: bytes.length };
      if (references.length === 0) return [entry];
      return references.map((reference) => ({ ...entry, annotations: annotationsOf(reference) }));
    }),
  };
  const manifest = chosen.map(({ image, references, manifest: { layers } }) => ({
    Config: blobName(image.id),
    RepoTags: references.length === 0 ? null : references.map(familiarString),
    Layers: layers.map(({ digest }) => blobName(digest)),
  }));
  return [
    { name: 'index.json', content: json(index) },
    { name: 'manifest.json', content: json(manifest) },
    { name: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
  ];
}

function annotationsOf({ domain, path, tag = 'latest' }: ImageReference): Record<string, string> {
  return {
    'io.containerd.image.name': `${domain}/${path}:${tag}`,
    'org.opencontainers.image.ref.name': tag,
  };
}

function blobName(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
