/** Which images, names and layers there are. Their bytes are in the content store and the snapshotter. */
import { parseConfig } from '../registry/manifest.ts';
import type { ParsedConfig } from '../registry/manifest.ts';
import type { Database, Migration, Row } from './database.ts';

export interface StoredLayer {
  readonly diffId: string;
  readonly blobDigest: string;
  readonly blobBytes: number;
  /** Sum of the sizes of its files. */
  readonly fileBytes: number;
}

export interface StoredImage {
  /** Digest of the configuration. */
  readonly id: string;
  readonly manifestDigest: string;
  readonly configText: string;
  /** Lowest first. */
  readonly layers: readonly StoredLayer[];
  readonly storedAtMs: number;
  /** The image it was committed or built on here, {@link scratch} when that was nothing; undefined when it was brought. */
  readonly parentId?: string;
}

/** The parent of images that were built on nothing. */
export const scratch = '';

/** A stored image with its configuration parsed. */
export interface KnownImage extends StoredImage {
  readonly config: ParsedConfig;
}

/** `busybox:latest` or `busybox@sha256:…`, and the image it means. */
export interface ImageName {
  readonly domain: string;
  readonly path: string;
  readonly kind: 'tag' | 'digest';
  readonly value: string;
  readonly imageId: string;
  readonly namedAtMs: number;
}

export type NameKey = Pick<ImageName, 'domain' | 'path' | 'kind' | 'value'>;

export interface ImageRecords {
  /** Newest first, by the time in their configuration. */
  all(): KnownImage[];
  get(id: string): KnownImage | undefined;
  /** Idempotent; the first parent stays. */
  put(image: StoredImage): void;
  /** Those committed or built on it, newest first. */
  children(parentId: string): KnownImage[];
  /** With its names. Returns the layers that no image uses any more; their records are gone. */
  remove(id: string): StoredLayer[];
  names(): ImageName[];
  namesOf(imageId: string): ImageName[];
  /** The image of that name. */
  find(name: NameKey): string | undefined;
  /** Moves the name when it meant another image. */
  setName(name: ImageName): void;
  removeName(name: NameKey): void;
  layer(diffId: string): StoredLayer | undefined;
  layers(): StoredLayer[];
  /** All or nothing. */
  transaction<Result>(work: () => Result): Result;
}

export const imageMigrations: readonly Migration[] = [
  {
    name: 'images-1',
    sql: `
      CREATE TABLE image (
        id TEXT PRIMARY KEY, manifestDigest TEXT NOT NULL, config TEXT NOT NULL, storedAtMs INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE layer (
        diffId TEXT PRIMARY KEY, blobDigest TEXT NOT NULL, blobBytes INTEGER NOT NULL, fileBytes INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE imageLayer (
        imageId TEXT NOT NULL REFERENCES image ON DELETE CASCADE, position INTEGER NOT NULL,
        diffId TEXT NOT NULL REFERENCES layer, PRIMARY KEY (imageId, position)
      ) STRICT;
      CREATE INDEX imageLayerByDiffId ON imageLayer (diffId);
      CREATE TABLE imageName (
        domain TEXT NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
        imageId TEXT NOT NULL REFERENCES image ON DELETE CASCADE, namedAtMs INTEGER NOT NULL,
        PRIMARY KEY (domain, path, kind, value)
      ) STRICT;
      CREATE INDEX imageNameByImage ON imageName (imageId);`,
  },
  {
    name: 'images-parent',
    sql: `
      ALTER TABLE image ADD COLUMN parentId TEXT;
      CREATE INDEX imageByParent ON image (parentId);`,
  },
];

/** `created` of a configuration, for sorting; images without one are oldest. */
export function createdMs(config: ParsedConfig): number {
  const time = Date.parse(config.created ?? '');
  return Number.isNaN(time) ? 0 : time;
}

export class SqliteImageRecords implements ImageRecords {
  private readonly database: Database;
  /** Parsed once: a configuration never changes under its digest. */
  private readonly configs = new Map<string, ParsedConfig>();

  constructor(database: Database) {
    this.database = database;
  }

  all(): KnownImage[] {
    const layersOf = new Map<string, Row[]>();
    for (const row of this.database.all(
      'SELECT imageId, layer.* FROM imageLayer JOIN layer USING (diffId) ORDER BY imageId, position',
    )) {
      const imageId = String(row.imageId);
      const rows = layersOf.get(imageId);
      if (rows === undefined) layersOf.set(imageId, [row]);
      else rows.push(row);
    }
    const images = this.database
      .all('SELECT * FROM image')
      .map((row) => this.image(row, layersOf.get(String(row.id)) ?? []));
    return images.sort((a, b) => createdMs(b.config) - createdMs(a.config));
  }

  get(id: string): KnownImage | undefined {
    const row = this.database.get('SELECT * FROM image WHERE id = ?', id);
    if (row === undefined) return undefined;
    const layers = this.database.all(
      'SELECT layer.* FROM imageLayer JOIN layer USING (diffId) WHERE imageId = ? ORDER BY position',
      id,
    );
    return this.image(row, layers);
  }

  children(parentId: string): KnownImage[] {
    const ids = this.database.all('SELECT id FROM image WHERE parentId = ?', parentId).map((row) => String(row.id));
    const images = ids.map((id) => this.get(id)).filter((image) => image !== undefined);
    return images.sort((a, b) => createdMs(b.config) - createdMs(a.config));
  }

  put(image: StoredImage): void {
    this.transaction(() => {
      this.database.run(
        `INSERT INTO image (id, manifestDigest, config, storedAtMs, parentId) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET manifestDigest = excluded.manifestDigest`,
        image.id,
        image.manifestDigest,
        image.configText,
        image.storedAtMs,
        image.parentId ?? null,
      );
      for (const [position, layer] of image.layers.entries()) {
        this.database.run(
          `INSERT INTO layer VALUES (?, ?, ?, ?) ON CONFLICT (diffId) DO NOTHING`,
          layer.diffId,
          layer.blobDigest,
          layer.blobBytes,
          layer.fileBytes,
        );
        this.database.run(
          'INSERT INTO imageLayer VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
          image.id,
          position,
          layer.diffId,
        );
      }
    });
  }

  remove(id: string): StoredLayer[] {
    return this.transaction(() => {
      this.configs.delete(id);
      this.database.run('DELETE FROM image WHERE id = ?', id);
      return this.database
        .all('DELETE FROM layer WHERE diffId NOT IN (SELECT diffId FROM imageLayer) RETURNING *')
        .map(toLayer);
    });
  }

  names(): ImageName[] {
    return this.database.all('SELECT * FROM imageName ORDER BY domain, path, kind DESC, value').map(toName);
  }

  namesOf(imageId: string): ImageName[] {
    return this.database
      .all('SELECT * FROM imageName WHERE imageId = ? ORDER BY domain, path, kind DESC, value', imageId)
      .map(toName);
  }

  find({ domain, path, kind, value }: NameKey): string | undefined {
    const row = this.database.get(
      'SELECT imageId FROM imageName WHERE domain = ? AND path = ? AND kind = ? AND value = ?',
      domain,
      path,
      kind,
      value,
    );
    return row === undefined ? undefined : String(row.imageId);
  }

  setName({ domain, path, kind, value, imageId, namedAtMs }: ImageName): void {
    this.database.run(
      `INSERT INTO imageName VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (domain, path, kind, value) DO UPDATE SET imageId = excluded.imageId, namedAtMs = excluded.namedAtMs`,
      domain,
      path,
      kind,
      value,
      imageId,
      namedAtMs,
    );
  }

  removeName({ domain, path, kind, value }: NameKey): void {
    this.database.run(
      'DELETE FROM imageName WHERE domain = ? AND path = ? AND kind = ? AND value = ?',
      domain,
      path,
      kind,
      value,
    );
  }

  layer(diffId: string): StoredLayer | undefined {
    const row = this.database.get('SELECT * FROM layer WHERE diffId = ?', diffId);
    return row === undefined ? undefined : toLayer(row);
  }

  layers(): StoredLayer[] {
    return this.database.all('SELECT * FROM layer').map(toLayer);
  }

  transaction<Result>(work: () => Result): Result {
    return this.database.transaction(work);
  }

  private image(row: Row, layers: readonly Row[]): KnownImage {
    const id = String(row.id);
    const configText = String(row.config);
    let config = this.configs.get(id);
    if (config === undefined) {
      config = parseConfig(Buffer.from(configText), id);
      this.configs.set(id, config);
    }
    return {
      id,
      manifestDigest: String(row.manifestDigest),
      configText,
      config,
      layers: layers.map(toLayer),
      storedAtMs: Number(row.storedAtMs),
      ...(row.parentId === null ? {} : { parentId: String(row.parentId) }),
    };
  }
}

function toLayer(row: Row): StoredLayer {
  return {
    diffId: String(row.diffId),
    blobDigest: String(row.blobDigest),
    blobBytes: Number(row.blobBytes),
    fileBytes: Number(row.fileBytes),
  };
}

function toName(row: Row): ImageName {
  return {
    domain: String(row.domain),
    path: String(row.path),
    kind: row.kind === 'tag' ? 'tag' : 'digest',
    value: String(row.value),
    imageId: String(row.imageId),
    namedAtMs: Number(row.namedAtMs),
  };
}
