/** Images as `docker save` has always written them: `manifest.json` names configurations, layers and tags. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import { limits, parseConfig } from '../registry/manifest.ts';
import type { StoredImage, StoredLayer } from '../state/images.ts';
import { addLayer } from './add-layer.ts';
import type { ImageParts } from './image-parts.ts';
import { resolveBeneath } from './resolve-beneath.ts';
import { writeManifest } from './store-image.ts';

export interface SavedImage {
  readonly configBytes: Buffer;
  /** The image's id. */
  readonly configDigest: string;
  /** Paths in the archive, lowest layer first. */
  readonly layerPaths: readonly string[];
  readonly names: readonly string[];
}

/** In the stores but not on record; safe from garbage collection until disposed. */
export interface BroughtSaved extends Disposable {
  readonly record: StoredImage;
}

const manifestSchema = z.array(
  z.object({
    Config: z.string().max(4096),
    RepoTags: z.array(z.string().max(512)).max(1000).nullish(),
    Layers: z.array(z.string().max(4096)).max(limits.layers).nullish(),
  }),
);

/** None when the archive has no `manifest.json`. */
export async function readSavedImages(folder: string): Promise<SavedImage[]> {
  const bytes = await readInside(folder, 'manifest.json', limits.manifestBytes);
  if (bytes === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new EngineError('invalid-parameter', 'invalid archive: manifest.json is not JSON', { cause });
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw new EngineError('invalid-parameter', 'invalid archive: manifest.json is malformed');
  return Promise.all(
    parsed.data.map(async ({ Config, RepoTags, Layers }) => {
      const configBytes = await readInside(folder, Config, limits.configBytes);
      if (configBytes === undefined) {
        throw new EngineError('invalid-parameter', `invalid archive: ${Config} is missing`);
      }
      const configDigest = `sha256:${createHash('sha256').update(configBytes).digest('hex')}`;
      return { configBytes, configDigest, layerPaths: Layers ?? [], names: RepoTags ?? [] };
    }),
  );
}

/** @param reporter For a layer's diffID and size: what is told the bytes taken so far. */
export async function bringSaved(
  parts: ImageParts,
  folder: string,
  image: SavedImage,
  reporter: (diffId: string, totalBytes: number) => (bytes: number) => void,
  signal: AbortSignal,
): Promise<BroughtSaved> {
  const { rootfs } = parseConfig(image.configBytes, image.configDigest);
  if (rootfs.diff_ids.length !== image.layerPaths.length) {
    throw new EngineError(
      'invalid-parameter',
      `invalid manifest, layers length mismatch: expected ${image.layerPaths.length}, got ${rootfs.diff_ids.length}`,
    );
  }
  const leases: Disposable[] = [parts.leases.hold([image.configDigest, ...rootfs.diff_ids])];
  const dispose = (): void => leases.forEach((lease) => lease[Symbol.dispose]());
  try {
    const layers: StoredLayer[] = [];
    for (const [index, diffId] of rootfs.diff_ids.entries()) {
      const known = parts.records.layer(diffId);
      if (known !== undefined && (await parts.snapshotter.hasLayer(diffId))) {
        leases.push(parts.leases.hold([known.blobDigest]));
        layers.push(known);
        continue;
      }
      const file = await findInside(folder, image.layerPaths[index] ?? '');
      if (file === undefined) {
        throw new EngineError('invalid-parameter', `invalid archive: ${image.layerPaths[index] ?? ''} is missing`);
      }
      const added = await addLayer(
        parts,
        createReadStream(file.path, { highWaterMark: 256 * 1024 }),
        diffId,
        signal,
        reporter(diffId, file.size),
      );
      leases.push(added);
      layers.push(added.layer);
    }
    await parts.blobs.write(image.configDigest, image.configBytes);
    const manifest = await writeManifest(parts, image.configDigest, image.configBytes.length, layers);
    leases.push(manifest);
    const record = {
      id: image.configDigest,
      manifestDigest: manifest.digest,
      configText: image.configBytes.toString('utf8'),
      layers,
      storedAtMs: parts.nowMs(),
    };
    return { record, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The archive chooses its links: they lead nowhere but into what was unpacked of it. */
async function findInside(folder: string, name: string): Promise<{ path: string; size: number } | undefined> {
  const found = await resolveBeneath(folder, name);
  if (found === undefined) return undefined;
  const stats = await lstat(found);
  if (!stats.isFile()) throw new EngineError('invalid-parameter', `invalid archive: ${name} is not a file`);
  return { path: found, size: stats.size };
}

async function readInside(folder: string, name: string, maxBytes: number): Promise<Buffer | undefined> {
  const found = await findInside(folder, name);
  if (found === undefined) return undefined;
  if (found.size > maxBytes) throw new EngineError('invalid-parameter', `invalid archive: ${name} is too large`);
  return readFile(found.path);
}
