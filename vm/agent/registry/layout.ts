/** A folder in OCI layout (image specification 1.1, "Image Layout") as a source of images. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../contract/errors.ts';
import { limits, manifestMediaTypes, parseManifest } from './manifest.ts';
import type { Descriptor, ImageIndex } from './manifest.ts';
import { isDigest } from './reference.ts';
import type { BlobStream, ContentSource, FetchedManifest } from './source.ts';

const refName = 'org.opencontainers.image.ref.name';

export class LayoutSource implements ContentSource {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The names its index gives (whole references, or bare tags), with what they mean. Empty when there is no layout. */
  async names(): Promise<{ readonly name: string; readonly digest: string }[]> {
    const index = await this.index();
    return (index?.manifests ?? []).flatMap(({ annotations, digest }) => {
      const name = annotations?.[refName];
      return name === undefined ? [] : [{ name, digest }];
    });
  }

  async manifest(nameOrDigest: string, _signal: AbortSignal): Promise<FetchedManifest> {
    const index = await this.index();
    const entry = index?.manifests.find((one) =>
      isDigest(nameOrDigest) ? one.digest === nameOrDigest : one.annotations?.[refName] === nameOrDigest,
    );
    const digest = entry?.digest ?? nameOrDigest;
    if (!isDigest(digest)) throw new EngineError('not-found', `${this.folder} holds no image ${nameOrDigest}`);
    return { bytes: await this.read(digest, limits.manifestBytes), digest, mediaType: entry?.mediaType };
  }

  blob(descriptor: Descriptor, _signal: AbortSignal): Promise<Buffer> {
    return this.read(descriptor.digest, descriptor.size);
  }

  async open(descriptor: Descriptor, offset: number, signal: AbortSignal): Promise<BlobStream> {
    const file = this.file(descriptor.digest);
    await this.plainSize(file);
    const stream = createReadStream(file, { start: offset, highWaterMark: 256 * 1024, signal });
    return { offset, chunks: chunksOf(stream) };
  }

  retryDelayMs(): undefined {
    return undefined;
  }

  /** What the index names, in its order. */
  async entries(): Promise<ImageIndex['manifests']> {
    return (await this.index())?.manifests ?? [];
  }

  private async index(): Promise<ImageIndex | undefined> {
    let bytes: Buffer;
    try {
      const file = path.join(this.folder, 'index.json');
      const stats = await lstat(file);
      if (!stats.isFile() || stats.size > limits.manifestBytes) {
        throw new EngineError('invalid-parameter', `${file} is not an index`);
      }
      bytes = await readFile(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const parsed = parseManifest(bytes, manifestMediaTypes.ociIndex, this.folder);
    return parsed.kind === 'index' ? parsed.index : undefined;
  }

  private async read(digest: string, maxBytes: number): Promise<Buffer> {
    const file = this.file(digest);
    if ((await this.plainSize(file)) > maxBytes) throw new EngineError('system', `${file} is over ${maxBytes} bytes`);
    const bytes = await readFile(file);
    const got = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (got !== digest) throw new EngineError('system', `${file} is damaged: its content has the digest ${got}`);
    return bytes;
  }

  /** Whoever made the folder may have put links and devices there, which mean something else here. */
  private async plainSize(file: string): Promise<number> {
    const folders = [this.folder, path.join(this.folder, 'blobs'), path.join(this.folder, 'blobs', 'sha256')];
    for (const folder of folders) {
      if (!(await lstat(folder)).isDirectory()) throw new EngineError('invalid-parameter', `${folder} is not a folder`);
    }
    const stats = await lstat(file).catch((cause: unknown) => {
      throw new EngineError('not-found', `blob ${path.basename(file)} is missing`, { cause });
    });
    if (!stats.isFile()) throw new EngineError('invalid-parameter', `${file} is not a file`);
    return stats.size;
  }

  private file(digest: string): string {
    return path.join(this.folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
  }
}

async function* chunksOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  yield* stream;
}
