/** Long work that the host does for its windows: it goes on when the window that asked for it is closed or reloaded. */
import type { ErrorView } from './errors.ts';

export type TaskKind = 'pull' | 'prune-images';
export type TaskState = 'running' | 'done' | 'failed' | 'cancelled';

export type LayerPhase = 'waiting' | 'downloading' | 'downloaded' | 'extracting' | 'done';

export interface LayerProgress {
  readonly layer: string;
  readonly phase: LayerPhase;
  /** The engine's words. */
  readonly status: string;
  readonly downloadedBytes: number;
  /** 0 until known. */
  readonly sizeBytes: number;
  /** 0…1 of the unpacking. */
  readonly extracted: number;
  readonly existed: boolean;
}

export interface TaskView {
  readonly id: string;
  readonly kind: TaskKind;
  /** What it is done to: an image's reference. */
  readonly subject: string;
  readonly state: TaskState;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly layers: readonly LayerProgress[];
  /** 0…1; absent while nobody can tell. */
  readonly fraction?: number;
  /** Over the last seconds; absent when nothing moves. */
  readonly bytesPerSecond?: number;
  /** Digest of what was pulled. */
  readonly digest?: string;
  /** Once done: how much came, or came back. */
  readonly resultBytes?: number;
  readonly error?: ErrorView;
}

/** Bytes downloaded, and of all layers whose size is known. */
export function sumLayers(layers: Iterable<LayerProgress>): { readonly downloaded: number; readonly size: number } {
  let downloaded = 0;
  let size = 0;
  for (const layer of layers) {
    downloaded += layer.downloadedBytes;
    size += Math.max(layer.sizeBytes, layer.downloadedBytes);
  }
  return { downloaded, size };
}
