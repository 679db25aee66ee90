/** Takes a layer's archive from a stream into the content store and the snapshotter, in one pass. */
import { open, rm } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { EngineError } from '../../contract/errors.ts';
import type { BlobStore } from '../content/blob-store.ts';
import { UnpackError } from '../snapshots/unpack-program.ts';
import type { RunningUnpack } from '../snapshots/unpack-program.ts';
import type { StoredLayer } from '../state/images.ts';
import type { ImageParts } from './image-parts.ts';

/** A layer that garbage collection leaves alone until the lease is disposed, when an image record should mention it. */
export interface AddedLayer extends Disposable {
  readonly layer: StoredLayer;
}

/**
 * The archive may be plain (it is kept gzipped, as registries want it), gzip or zstd.
 * @param diffId What it must turn out to be; undefined: whatever it is.
 * @param tell Gets the bytes taken so far.
 */
export async function addLayer(
  parts: ImageParts,
  archive: Readable,
  diffId: string | undefined,
  signal: AbortSignal,
  tell: (bytes: number) => void = () => undefined,
): Promise<AddedLayer> {
  const file = parts.blobs.newFile();
  const pending = await parts.snapshotter.begin();
  try {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const keep = { file, resumeBytes: 0 };
    const unpack = parts.program.startLayer(pending.root === undefined ? { keep } : { root: pending.root, keep }, both);
    const result = await outcomeOf(unpack, feedCompressed(counted(archive, tell), unpack.input, both), stop);
    if (diffId !== undefined && result.diffId !== diffId) {
      throw new EngineError(
        'invalid-parameter',
        `invalid diffID for layer: expected "${diffId}", got "${result.diffId}"`,
      );
    }
    const lease = parts.leases.hold([result.digest, result.diffId]);
    try {
      const layer = {
        diffId: result.diffId,
        blobDigest: result.digest,
        blobBytes: result.compressedBytes,
        fileBytes: result.fileBytes,
      };
      const known = parts.records.layer(result.diffId);
      const isThere = known !== undefined && (await parts.snapshotter.hasLayer(result.diffId));
      if (isThere) await pending.discard();
      else {
        await parts.blobs.adopt(file, result.digest);
        await pending.commit(result.diffId, parts.blobs.path(result.digest));
      }
      return { layer: isThere ? known : layer, [Symbol.dispose]: () => lease[Symbol.dispose]() };
    } catch (error) {
      lease[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    await pending.discard();
    throw layerFailure(error);
  } finally {
    archive.destroy();
    await rm(file, { force: true });
  }
}

/** Both must end well: an archive that was cut off may look whole to the program. */
export async function outcomeOf(
  unpack: RunningUnpack,
  feeding: Promise<void>,
  stop: AbortController,
): Promise<Awaited<RunningUnpack['result']>> {
  feeding.catch((error: unknown) => {
    if (!isProgramsFault(error)) stop.abort(error);
  });
  try {
    const result = await unpack.result;
    await feeding;
    return result;
  } catch (error) {
    stop.abort(error);
    const [fed] = await Promise.allSettled([feeding, unpack.result]);
    throw fed.status === 'rejected' && !isProgramsFault(fed.reason) ? fed.reason : error;
  }
}

/** The pipe broke because the program had enough, for which it has its own reasons; or all was stopped. */
function isProgramsFault(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR';
}

async function feedCompressed(archive: AsyncIterable<Buffer>, input: Writable, signal: AbortSignal): Promise<void> {
  const { isCompressed, chunks } = await peek(archive);
  if (isCompressed) await pipeline(chunks, input, { signal });
  else await pipeline(chunks, createGzip({ level: 1 }), input, { signal });
}

async function peek(
  archive: AsyncIterable<Buffer>,
): Promise<{ isCompressed: boolean; chunks: AsyncGenerator<Buffer, void, void> }> {
  const iterator = archive[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  let ended = false;
  while (start.length < 4 && !ended) {
    const next = await iterator.next();
    if (next.done === true) ended = true;
    else start = Buffer.concat([start, next.value]);
  }
  const rest = async function* (): AsyncGenerator<Buffer, void, void> {
    yield start;
    while (!ended) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  };
  return { isCompressed: compressionOf(start) !== 'none', chunks: rest() };
}

async function* counted(
  archive: AsyncIterable<Buffer>,
  tell: (bytes: number) => void,
): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of archive) {
    bytes += chunk.length;
    tell(bytes);
    yield chunk;
  }
}

/** By its first bytes (RFC 1952, RFC 8878). */
function compressionOf(start: Buffer): 'gzip' | 'zstd' | 'none' {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  return start.length >= 4 && start.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : 'none';
}

/** What a manifest calls the blob. */
export async function layerMediaType(blobs: BlobStore, digest: string): Promise<string> {
  const handle = await open(blobs.path(digest), 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    const compression = compressionOf(buffer.subarray(0, bytesRead));
    return `application/vnd.oci.image.layer.v1.tar${compression === 'none' ? '' : `+${compression}`}`;
  } finally {
    await handle.close();
  }
}

function layerFailure(error: unknown): unknown {
  if (!(error instanceof UnpackError)) return error;
  const text = error.message.replace('No space', 'no space');
  return new EngineError(error.kind === 'io' || error.kind === 'disk-full' ? 'system' : 'invalid-parameter', text, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
