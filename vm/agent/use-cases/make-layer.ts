/** Makes a layer of files in the guest: a container's changes, or what a step of a build has put together. */
import { rm } from 'node:fs/promises';
import { EngineError } from '../../contract/errors.ts';
import { UnpackError } from '../snapshots/unpack-program.ts';
import type { PackSource } from '../snapshots/unpack-program.ts';
import type { StoredLayer } from '../state/images.ts';
import type { ImageParts } from './image-parts.ts';

/** A layer that garbage collection leaves alone until the lease is disposed, when an image record should mention it. */
export interface MadeLayer extends Disposable {
  /** Undefined when there was nothing to pack. */
  readonly layer: StoredLayer | undefined;
}

/** Packs, stores and unpacks in one pass. What exists already (by its diffID) is used as it is. */
export async function makeLayer(parts: ImageParts, source: PackSource, signal: AbortSignal): Promise<MadeLayer> {
  const file = parts.blobs.newFile();
  const pending = await parts.snapshotter.begin();
  try {
    const result = await parts.program.packLayer(
      { ...source, gzip: true },
      { keep: { file, resumeBytes: 0 }, ...(pending.root === undefined ? {} : { root: pending.root }) },
      signal,
    );
    if (result.entries === 0) {
      await pending.discard();
      return { layer: undefined, [Symbol.dispose]: () => undefined };
    }
    const lease = parts.leases.hold([result.digest, result.diffId]);
    const known = parts.records.layer(result.diffId);
    if (known !== undefined && (await parts.snapshotter.hasLayer(result.diffId))) {
      await pending.discard();
      return { layer: known, [Symbol.dispose]: () => lease[Symbol.dispose]() };
    }
    try {
      await parts.blobs.adopt(file, result.digest);
      await pending.commit(result.diffId, parts.blobs.path(result.digest));
    } catch (error) {
      lease[Symbol.dispose]();
      throw error;
    }
    return {
      layer: {
        diffId: result.diffId,
        blobDigest: result.digest,
        blobBytes: result.compressedBytes,
        fileBytes: result.fileBytes,
      },
      [Symbol.dispose]: () => lease[Symbol.dispose](),
    };
  } catch (error) {
    await pending.discard();
    if (!(error instanceof UnpackError)) throw error;
    throw new EngineError('system', `make a layer: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  } finally {
    await rm(file, { force: true });
  }
}
