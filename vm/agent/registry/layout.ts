/** A folder in OCI layout (image specification 1.1, "Image Layout") as a source of images. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
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

  open(descriptor: Descriptor, offset: number, signal: AbortSignal): Promise<BlobStream> {
    const stream = createReadStream(this.file(descriptor.digest), { start: offset, highWaterMark: 256 * 1024, signal });
    return Promise.resolve({ offset, chunks: chunksOf(stream) });
  }

  retryDelayMs(): undefined {
    return undefined;
  }

  private async index(): Promise<ImageIndex | undefined> {
    let bytes: Buffer;
    try {
      bytes = await readFile(path.join(this.folder, 'index.json'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const parsed = parseManifest(bytes, manifestMediaTypes.ociIndex, this.folder);
    return parsed.kind === 'index' ? parsed.index : undefined;
  }

  private async read(digest: string, maxBytes: number): Promise<Buffer> {
    const file = this.file(digest);
    if ((await stat(file)).size > maxBytes) throw new EngineError('system', `${file} is over ${maxBytes} bytes`);
    const bytes = await readFile(file);
    const got = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (got !== digest) throw new EngineError('system', `${file} is damaged: its content has the digest ${got}`);
    return bytes;
  }

  private file(digest: string): string {
    return path.join(this.folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
  }
}

async function* chunksOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  yield* stream;
}
