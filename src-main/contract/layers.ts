/** View types of what is in an image's layers. Layers are numbered from the bottom, from 0. */
import type { FileChange, FileKind } from './files.ts';

/** Of files, not folders; a file of several names counts at one of them. */
export interface LayerSums {
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  /** Of what is added and modified. */
  readonly sizeBytes: number;
  readonly deletedBytes: number;
}

/** A version of a file that a later layer replaces or removes. */
export interface WastedFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Which brings it, and which hides it. */
  readonly layer: number;
  readonly by: number;
  readonly removed: boolean;
}

export interface LayersView {
  readonly layers: readonly LayerSums[];
  readonly wasted: {
    readonly files: number;
    readonly sizeBytes: number;
    /** The first of them, largest first. */
    readonly largest: readonly WastedFile[];
  };
}

export interface LayerEntry extends LayerSums {
  readonly name: string;
  readonly kind: FileKind;
  /** `unchanged`: a folder that is only there for what is in it. */
  readonly change: FileChange | 'unchanged';
}

export interface LayerFolderView {
  /** Largest first, counting what is deleted too. */
  readonly entries: readonly LayerEntry[];
  /** So many more are not told. */
  readonly more: number;
}

export interface LayerHit {
  readonly path: string;
  readonly layer: number;
  readonly kind: FileKind;
  readonly change: FileChange;
  readonly sizeBytes: number;
}

export interface LayerHitsView {
  /** By layer, from the bottom. */
  readonly hits: readonly LayerHit[];
  /** There are more than are told. */
  readonly more: boolean;
}
