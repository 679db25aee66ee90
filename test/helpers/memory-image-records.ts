/** Image records in memory: `node:sqlite` needs Node 24. Passes the same suite as the real ones (`test/suites/image-records.ts`). */
import { parseConfig } from '../../vm/agent/registry/manifest.ts';
import { createdMs } from '../../vm/agent/state/images.ts';
import type {
  ImageName,
  ImageRecords,
  KnownImage,
  NameKey,
  StoredImage,
  StoredLayer,
} from '../../vm/agent/state/images.ts';

export class MemoryImageRecords implements ImageRecords {
  private readonly images = new Map<string, KnownImage>();
  private readonly nameMap = new Map<string, ImageName>();
  private readonly layerMap = new Map<string, StoredLayer>();

  all(): KnownImage[] {
    return [...this.images.values()].sort((a, b) => createdMs(b.config) - createdMs(a.config));
  }

  get(id: string): KnownImage | undefined {
    return this.images.get(id);
  }

  put(image: StoredImage): void {
    const layers = image.layers.map((layer) => {
      const known = this.layerMap.get(layer.diffId) ?? layer;
      this.layerMap.set(layer.diffId, known);
      return known;
    });
    const before = this.images.get(image.id);
    const config = parseConfig(Buffer.from(image.configText), image.id);
    this.images.set(image.id, { ...(before ?? image), manifestDigest: image.manifestDigest, layers, config });
  }

  children(parentId: string): KnownImage[] {
    return this.all().filter((image) => image.parentId === parentId);
  }

  remove(id: string): StoredLayer[] {
    this.images.delete(id);
    for (const [key, name] of this.nameMap) if (name.imageId === id) this.nameMap.delete(key);
    const used = new Set(this.all().flatMap((image) => image.layers.map(({ diffId }) => diffId)));
    const orphans = this.layers().filter(({ diffId }) => !used.has(diffId));
    for (const { diffId } of orphans) this.layerMap.delete(diffId);
    return orphans;
  }

  names(): ImageName[] {
    return [...this.nameMap].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => name);
  }

  namesOf(imageId: string): ImageName[] {
    return this.names().filter((name) => name.imageId === imageId);
  }

  find(name: NameKey): string | undefined {
    return this.nameMap.get(keyOf(name))?.imageId;
  }

  setName(name: ImageName): void {
    if (!this.images.has(name.imageId)) throw new Error(`FOREIGN KEY: no image ${name.imageId}`);
    this.nameMap.set(keyOf(name), name);
  }

  removeName(name: NameKey): void {
    this.nameMap.delete(keyOf(name));
  }

  layer(diffId: string): StoredLayer | undefined {
    return this.layerMap.get(diffId);
  }

  layers(): StoredLayer[] {
    return [...this.layerMap.values()];
  }

  transaction<Result>(work: () => Result): Result {
    const saved = [this.images, this.nameMap, this.layerMap].map((map) => [...map]);
    try {
      return work();
    } catch (error) {
      for (const [index, map] of [this.images, this.nameMap, this.layerMap].entries()) {
        map.clear();
        for (const [key, value] of saved[index] ?? []) (map as Map<unknown, unknown>).set(key, value);
      }
      throw error;
    }
  }
}

/** Sorts as SQLite does: by repository, tags before digests. */
function keyOf({ domain, path, kind, value }: NameKey): string {
  return [domain, path, kind === 'tag' ? '0' : '1', value].join('\0');
}
