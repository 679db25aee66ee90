/**
 * Brings one layer from a source into the content store and the snapshotter: downloaded, kept, hashed and unpacked in one
 * pass. Those who want the same blob at the same time share one job; it is cancelled when the last of them has gone.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '../../contract/errors.ts';
import { diskError } from '../content/blob-store.ts';
import type { BlobStore } from '../content/blob-store.ts';
import { StatusError } from '../registry/failure.ts';
import type { Descriptor } from '../registry/manifest.ts';
import type { ContentSource } from '../registry/source.ts';
import { TransportError } from '../registry/transport.ts';
import type { Snapshotter } from '../snapshots/snapshotter.ts';
import { UnpackError } from '../snapshots/unpack-program.ts';
import type { LayerResult, UnpackProgram } from '../snapshots/unpack-program.ts';
import type { StoredLayer } from '../state/images.ts';
import { Slots } from './slots.ts';

export type LayerStage =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'downloading'; readonly currentBytes: number; readonly totalBytes: number }
  | { readonly kind: 'retrying'; readonly seconds: number }
  | { readonly kind: 'downloaded' }
  | { readonly kind: 'extracting'; readonly currentBytes: number; readonly totalBytes: number };

type Listener = (stage: LayerStage) => void;

interface Job {
  readonly controller: AbortController;
  readonly listeners: Set<Listener>;
  stage: LayerStage;
  result: Promise<StoredLayer>;
}

/** A source that keeps failing without sending anything new is given up by its own rule; one that trickles, by this. */
const maxReconnects = 50;

export class LayerFetcher {
  private readonly blobs: BlobStore;
  private readonly snapshotter: Snapshotter;
  private readonly program: UnpackProgram;
  private readonly slots: Slots;
  /** By blob digest. */
  private readonly jobs = new Map<string, Job>();

  constructor(parts: { blobs: BlobStore; snapshotter: Snapshotter; program: UnpackProgram; parallel?: number }) {
    this.blobs = parts.blobs;
    this.snapshotter = parts.snapshotter;
    this.program = parts.program;
    this.slots = new Slots(parts.parallel ?? 3);
  }

  /** Resolves when the layer is on the disk under the diffID that its content has (the caller compares). */
  async fetch(
    source: ContentSource,
    descriptor: Descriptor,
    signal: AbortSignal,
    listener: Listener,
  ): Promise<StoredLayer> {
    const job = await this.join(source, descriptor, signal);
    job.listeners.add(listener);
    listener(job.stage);
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_resolve, reject) => {
      leave = () => reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([job.result, left]);
    } finally {
      if (leave !== undefined) signal.removeEventListener('abort', leave);
      job.listeners.delete(listener);
      if (job.listeners.size === 0) {
        job.controller.abort(new Error('nobody waits for this layer any more'));
        await job.result.catch(() => undefined); // it has put its things away before the caller gives up its leases
      }
    }
  }

  /** The running job for that blob, or a new one; waits for a cancelled one to be gone first. */
  private async join(source: ContentSource, descriptor: Descriptor, signal: AbortSignal): Promise<Job> {
    for (;;) {
      signal.throwIfAborted();
      const running = this.jobs.get(descriptor.digest);
      if (running === undefined) return this.start(source, descriptor);
      if (!running.controller.signal.aborted) return running;
      await running.result.catch(() => undefined);
    }
  }

  private start(source: ContentSource, descriptor: Descriptor): Job {
    const controller = new AbortController();
    const listeners = new Set<Listener>();
    const tell = (stage: LayerStage): void => {
      job.stage = stage;
      for (const listener of listeners) listener(stage);
    };
    const work = async (): Promise<StoredLayer> => {
      using _slot = await this.slots.take(controller.signal);
      return await this.bring(source, descriptor, controller.signal, tell);
    };
    const job: Job = {
      controller,
      listeners,
      stage: { kind: 'waiting' },
      // Not at once: `job` must exist when the first stage is told.
      result: Promise.resolve()
        .then(work)
        .finally(() => this.jobs.delete(descriptor.digest)),
    };
    job.result.catch(() => undefined); // everyone may have left
    this.jobs.set(descriptor.digest, job);
    return job;
  }

  /** What an earlier attempt left may be wrong (power cut): then once more from nothing. */
  private async bring(
    source: ContentSource,
    descriptor: Descriptor,
    signal: AbortSignal,
    tell: Listener,
  ): Promise<StoredLayer> {
    const stored = await this.blobs.size(descriptor.digest);
    if (stored !== undefined) {
      try {
        return await this.unpackStored(descriptor, signal, tell);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof UnpackError && error.kind === 'disk-full') throw layerFailure(error);
        await this.blobs.remove(descriptor.digest); // damaged: fetch it again
      }
    }
    let resumeBytes = await this.blobs.partialSize(descriptor.digest);
    if (resumeBytes > descriptor.size) resumeBytes = 0;
    try {
      return await this.download(source, descriptor, resumeBytes, signal, tell);
    } catch (error) {
      signal.throwIfAborted();
      if (!spoilsPartial(error)) throw layerFailure(error);
      await this.blobs.dropPartial(descriptor.digest);
      const mayBeOurs = resumeBytes > 0 && !(error instanceof UnpackError && error.kind === 'disk-full');
      if (!mayBeOurs) throw layerFailure(error);
    }
    try {
      return await this.download(source, descriptor, 0, signal, tell);
    } catch (error) {
      if (spoilsPartial(error)) await this.blobs.dropPartial(descriptor.digest);
      throw layerFailure(error);
    }
  }

  private async unpackStored(descriptor: Descriptor, signal: AbortSignal, tell: Listener): Promise<StoredLayer> {
    const { createReadStream } = await import('node:fs');
    const { pipeline } = await import('node:stream/promises');
    const pending = await this.snapshotter.begin();
    try {
      const job = pending.root === undefined ? {} : { root: pending.root };
      const unpack = this.program.startLayer(job, signal, ({ bytesIn }) =>
        tell({ kind: 'extracting', currentBytes: bytesIn, totalBytes: descriptor.size }),
      );
      await pipeline(createReadStream(this.blobs.path(descriptor.digest)), unpack.input).catch(() => undefined);
      const result = verified(await unpack.result, descriptor);
      await pending.commit(result.diffId, this.blobs.path(descriptor.digest));
      return toStored(result);
    } catch (error) {
      await pending.discard();
      throw error;
    }
  }

  private async download(
    source: ContentSource,
    descriptor: Descriptor,
    resumeBytes: number,
    signal: AbortSignal,
    tell: Listener,
  ): Promise<StoredLayer> {
    const pending = await this.snapshotter.begin();
    // The program must not outlive a failed download, nor the download a failed program.
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    let downloaded = false;
    const keep = { file: this.blobs.partial(descriptor.digest), resumeBytes };
    const unpack = this.program.startLayer(
      pending.root === undefined ? { keep } : { root: pending.root, keep },
      both,
      ({ bytesIn }) => {
        if (downloaded) tell({ kind: 'extracting', currentBytes: bytesIn, totalBytes: descriptor.size });
      },
    );
    const programFailed = unpack.result.then(
      () => new Promise<never>(() => undefined),
      (error: unknown) => stop.abort(error),
    );
    try {
      const feeding = feed(source, descriptor, resumeBytes, unpack.input, both, tell);
      await Promise.race([feeding, programFailed.then(() => feeding)]);
      downloaded = true;
      tell({ kind: 'downloaded' });
      const result = verified(await unpack.result, descriptor);
      await this.blobs.commit(descriptor.digest);
      await pending.commit(result.diffId, this.blobs.path(descriptor.digest));
      return toStored(result);
    } catch (error) {
      // The program's own account says more than the pipe it closed.
      const reason = error instanceof ProgramGone ? await unpack.result.then(() => error, asIs) : error;
      stop.abort(reason);
      await unpack.result.catch(() => undefined); // dead before its files are removed
      await pending.discard();
      throw reason;
    }
  }
}

/** Sends the blob to the program, reconnecting where a connection breaks. Bounded by the descriptor's size. */
async function feed(
  source: ContentSource,
  descriptor: Descriptor,
  from: number,
  input: Writable,
  signal: AbortSignal,
  tell: Listener,
): Promise<void> {
  let at = from;
  let failures = 0;
  for (let reconnects = 0; at < descriptor.size; reconnects += 1) {
    const before = at;
    try {
      const stream = await source.open(descriptor, at, signal);
      let skip = at - stream.offset;
      for await (const chunk of stream.chunks) {
        const fresh = skip >= chunk.length ? undefined : chunk.subarray(skip);
        skip = Math.max(0, skip - chunk.length);
        if (fresh === undefined) continue;
        at += fresh.length;
        if (at > descriptor.size) {
          throw new EngineError(
            'system',
            `layer ${descriptor.digest}: more than its ${descriptor.size} bytes were sent`,
          );
        }
        await put(input, fresh, signal);
        tell({ kind: 'downloading', currentBytes: at, totalBytes: descriptor.size });
      }
      if (at < descriptor.size) throw new TransportError('ended-early', endedEarly(descriptor, at));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StatusError && error.status === 416) {
        throw new EngineError('system', endedEarly(descriptor, at), { cause: error });
      }
      failures = at > before ? 1 : failures + 1;
      const waitMs = reconnects >= maxReconnects ? undefined : source.retryDelayMs(error, failures);
      if (waitMs === undefined) throw error;
      if (waitMs >= 1000) tell({ kind: 'retrying', seconds: Math.round(waitMs / 1000) });
      await delay(waitMs, undefined, { signal });
    }
  }
  input.end();
}

class ProgramGone extends Error {}

async function put(input: Writable, chunk: Buffer, signal: AbortSignal): Promise<void> {
  if (input.destroyed) throw new ProgramGone('unpack reads no more');
  if (input.write(chunk)) return;
  try {
    await once(input, 'drain', { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new ProgramGone('unpack reads no more', { cause });
  }
}

function asIs(error: unknown): unknown {
  return error;
}

function endedEarly(descriptor: Descriptor, at: number): string {
  return `layer ${descriptor.digest} ended after ${at} of ${descriptor.size} bytes: unexpected EOF`;
}

function verified(result: LayerResult, descriptor: Descriptor): LayerResult {
  if (result.digest === descriptor.digest) return result;
  throw new DigestError(`filesystem layer verification failed for digest ${descriptor.digest}`);
}

class DigestError extends EngineError {
  constructor(message: string) {
    super('system', message);
  }
}

/** What was kept is wrong, or must make room. A broken connection or a cancelled pull leaves good bytes behind. */
function spoilsPartial(error: unknown): boolean {
  return error instanceof DigestError || error instanceof UnpackError || error instanceof EngineError;
}

function layerFailure(error: unknown): unknown {
  if (!(error instanceof UnpackError)) return diskError(error, 'store a layer');
  const text = error.kind === 'disk-full' ? error.message.replace('No space', 'no space') : error.message;
  return new EngineError('system', `failed to register layer: ${text}`, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

function toStored(result: LayerResult): StoredLayer {
  return {
    diffId: result.diffId,
    blobDigest: result.digest,
    blobBytes: result.compressedBytes,
    fileBytes: result.fileBytes,
  };
}
