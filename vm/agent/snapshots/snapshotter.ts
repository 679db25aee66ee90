/**
 * Turns layers into containers' root filesystems. One suite (`test/suites/snapshotter.ts`) runs on every implementation.
 *
 * Layers are known by their diffID (the digest of the uncompressed archive) and shared by all images that have them. A
 * layer is there as a whole or not at all: it is prepared aside and named in one step.
 */
import type { RootFilesystem } from '../runtime/runtime.ts';

export interface Snapshotter {
  readonly name: 'overlay' | 'vfs';
  hasLayer(diffId: string): Promise<boolean>;
  /** DiffIDs of the layers that are there. */
  layers(): Promise<string[]>;
  /** A place for a layer that is about to be unpacked. */
  begin(): Promise<PendingLayer>;
  /** Nobody uses it any more: the caller knows. Nothing there is success. */
  removeLayer(diffId: string): Promise<void>;
  /**
   * Makes a container's writable root over the layers, lowest first. Idempotent; the options of the first time stay.
   */
  prepareRoot(containerId: string, layers: readonly string[], options: RootOptions): Promise<RootFilesystem>;
  removeRoot(containerId: string): Promise<void>;
  /** Folders of the layers, topmost first, for reading. Rejects with `not-implemented` where layers are no folders. */
  layerFolders(layers: readonly string[]): Promise<string[]>;
  /** Bytes of the files that the container has written. */
  rootSize(containerId: string): Promise<number>;
}

export interface RootOptions {
  /** Who owns it: the mapped root, or 0. */
  readonly ownerId: number;
  readonly limit?: DiskLimit;
}

/** How much may be written: a quota of a project that nobody else has (quotactl(2), PRJQUOTA). */
export interface DiskLimit {
  readonly project: number;
  readonly bytes: number;
}

/** What is made in the folder from now on counts, and ends with ENOSPC at the limit. */
export type LimitFolder = (folder: string, limit: DiskLimit) => Promise<void>;

export interface PendingLayer {
  /** Folder to unpack into; undefined when this snapshotter only needs the blob. */
  readonly root: string | undefined;
  /** The layer is verified and on the disk, its blob is stored. When another came first, this one is dropped. */
  commit(diffId: string, blobFile: string): Promise<void>;
  /** Forgets it. */
  discard(): Promise<void>;
}
