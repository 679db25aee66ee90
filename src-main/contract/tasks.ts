/** Long work that the host does for its windows: it goes on when the window that asked for it is closed or reloaded. */
import type { ErrorView } from './errors.ts';

export type TaskKind =
  | 'pull'
  | 'push'
  | 'prune-images'
  | 'save-images'
  | 'load-images'
  | 'build'
  | 'download'
  | 'upload'
  | 'clone-volume'
  | 'export-volume'
  | 'import-volume';
export type TaskState = 'running' | 'done' | 'failed' | 'cancelled';

export type LayerPhase = 'waiting' | 'downloading' | 'downloaded' | 'extracting' | 'sending' | 'done';

export interface LayerProgress {
  readonly layer: string;
  readonly phase: LayerPhase;
  /** The engine's words. */
  readonly status: string;
  /** Come, or in a push gone. */
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
  /** What it is done to: an image's reference, a file's name. */
  readonly subject: string;
  readonly state: TaskState;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly layers: readonly LayerProgress[];
  /** 0…1; absent while nobody can tell. */
  readonly fraction?: number;
  /** Over the last seconds; absent when nothing moves. */
  readonly bytesPerSecond?: number;
  /** How many bytes have gone so far; `total` when it is known. */
  readonly bytes?: { readonly done: number; readonly total?: number };
  /** What it does now, when there are several things to do: `Step 2/5 : RUN make`. */
  readonly step?: string;
  /** Digest of what was pulled or pushed. */
  readonly digest?: string;
  /** Names of what came of it: the images that were loaded or built. */
  readonly names?: readonly string[];
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

/** A build's line that begins a step, in its parts. */
export function parseBuildStep(
  line: string,
): { readonly number: number; readonly of: number; readonly instruction: string } | undefined {
  const [, number, of, instruction] = /^Step (\d+)\/(\d+) : (.*)$/s.exec(line) ?? [];
  if (instruction === undefined) return undefined;
  return { number: Number(number), of: Number(of), instruction };
}
