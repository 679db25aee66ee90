/**
 * Blobs by digest. What is in `blobs/` is whole and has that digest; what is being fetched is in `ingest/`, named for the
 * digest it shall have, so that a later attempt goes on from there.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../contract/errors.ts';
import { renameDurably, syncFolder, writeDurably } from './durable.ts';

const partialLifetimeMs = 7 * 24 * 3600 * 1000;

export class BlobStore {
  private readonly blobs: string;
  private readonly ingest: string;

  private constructor(folder: string) {
    this.blobs = path.join(folder, 'blobs', 'sha256');
    this.ingest = path.join(folder, 'ingest');
  }

  /** Makes the folders, and drops what no attempt will go on from. */
  static async open(folder: string): Promise<BlobStore> {
    const store = new BlobStore(folder);
    await mkdir(store.blobs, { recursive: true, mode: 0o700 });
    await mkdir(store.ingest, { recursive: true, mode: 0o700 });
    await store.dropStale();
    return store;
  }

  /** Where the blob is, whether it is there or not. */
  path(digest: string): string {
    return path.join(this.blobs, hex(digest));
  }

  /** Its size, or undefined when it is not there. */
  async size(digest: string): Promise<number | undefined> {
    return sizeOf(this.path(digest));
  }

  async list(): Promise<string[]> {
    return (await readdir(this.blobs)).map((name) => `sha256:${name}`);
  }

  /** A small blob, verified. Rejects with `not-found`, or `system` when it is damaged. */
  async read(digest: string): Promise<Buffer> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.path(digest));
    } catch (cause) {
      throw new EngineError('not-found', `blob ${digest} is not in the store`, { cause });
    }
    const got = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (got !== digest) throw new EngineError('system', `blob ${digest} is damaged: its content has ${got}`);
    return bytes;
  }

  /** Stores a small blob, whose digest the caller has checked. */
  async write(digest: string, bytes: Buffer): Promise<void> {
    if ((await this.size(digest)) === bytes.length) return;
    const temporary = `${this.partial(digest)}.${process.hrtime.bigint()}`;
    try {
      await writeDurably(temporary, bytes);
      await renameDurably(temporary, this.path(digest));
    } catch (error) {
      await rm(temporary, { force: true });
      throw diskError(error, `store ${digest}`);
    }
  }

  /** Where the parts of a blob are gathered. One writer at a time: the caller sees to that. */
  partial(digest: string): string {
    return path.join(this.ingest, hex(digest));
  }

  /** How much of it an earlier attempt left. */
  async partialSize(digest: string): Promise<number> {
    return (await sizeOf(this.partial(digest))) ?? 0;
  }

  /** The gathered parts have been verified and are on the disk. */
  async commit(digest: string): Promise<void> {
    await renameDurably(this.partial(digest), this.path(digest));
  }

  /** A file for a blob that is made here, whose digest is not known before; gone at the next start unless adopted. */
  newFile(): string {
    return path.join(this.ingest, `new-${process.hrtime.bigint()}`);
  }

  /** The file is on the disk and has this digest. */
  async adopt(file: string, digest: string): Promise<void> {
    await renameDurably(file, this.path(digest));
  }

  async dropPartial(digest: string): Promise<void> {
    await rm(this.partial(digest), { force: true });
  }

  async remove(digest: string): Promise<void> {
    await rm(this.path(digest), { force: true });
    await syncFolder(this.blobs);
  }

  /** Reads the whole blob and compares. */
  async verify(digest: string): Promise<boolean> {
    const hash = createHash('sha256');
    try {
      await pipeline(createReadStream(this.path(digest), { highWaterMark: 1024 * 1024 }), hash);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    return hash.digest('hex') === hex(digest);
  }

  private async dropStale(): Promise<void> {
    for (const name of await readdir(this.ingest)) {
      const file = path.join(this.ingest, name);
      const age = Date.now() - (await stat(file)).mtimeMs;
      if (!/^[a-f0-9]{64}$/.test(name) || age > partialLifetimeMs) await rm(file, { force: true, recursive: true });
    }
  }
}

/** A full disk is told as such, whatever was being written. */
export function diskError(error: unknown, what: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new EngineError('system', `${what}: no space left on device`, {
    cause: error,
    hint: 'remove images or containers that are not needed, or give the VM a larger disk in the settings',
  });
}

function hex(digest: string): string {
  const name = digest.slice('sha256:'.length);
  if (!/^[a-f0-9]{64}$/.test(name)) throw new EngineError('invalid-parameter', `${digest} is not a sha256 digest`);
  return name;
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
