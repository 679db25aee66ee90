/** A pull's progress objects folded into layers, totals and speed. Pure; times come in as values. */
import { sumLayers, type LayerPhase, type LayerProgress } from '../contract/tasks.ts';
import type { PullProgress } from '../engine/api.ts';
import type { TaskProgress } from './tasks.ts';

export interface PullTotals {
  readonly layers: ReadonlyMap<string, LayerProgress>;
  /** The last message about the pull as a whole. */
  readonly message: string;
  readonly digest: string;
  /** [time, bytes downloaded so far], newest last, the last few seconds. */
  readonly samples: readonly (readonly [timeMs: number, bytes: number])[];
}

export const emptyTotals: PullTotals = { layers: new Map(), message: '', digest: '', samples: [] };

const sampleSpanMs = 4000;
const downloadShare = 0.65;

export function foldPull(totals: PullTotals, items: readonly PullProgress[], nowMs: number): PullTotals {
  const layers = new Map(totals.layers);
  let { message, digest } = totals;
  for (const item of items) {
    // The whole-pull lines come with no layer, or (Docker) with the tag as their id: "Pulling from …", "Digest: …".
    if (item.layer === '' || /^(Pulling from|Digest:|Status:)/.test(item.status)) {
      message = item.status;
      digest = /^Digest: (.+)$/.exec(item.status)?.[1] ?? digest;
    } else {
      layers.set(item.layer, foldLayer(layers.get(item.layer), item));
    }
  }
  const bytes = sumLayers(layers.values()).downloaded;
  const samples = [...totals.samples, [nowMs, bytes] as const].filter(([time]) => nowMs - time <= sampleSpanMs);
  return { layers, message, digest, samples };
}

function foldLayer(before: LayerProgress | undefined, item: PullProgress): LayerProgress {
  const base = before ?? {
    layer: item.layer,
    phase: 'waiting' as const,
    status: item.status,
    downloadedBytes: 0,
    sizeBytes: 0,
    extracted: 0,
    existed: false,
  };
  const { currentBytes = 0, totalBytes = 0 } = item;
  const phase = phaseOf(item.status);
  const next = { ...base, status: item.status, phase };
  switch (phase) {
    case 'waiting':
      return next;
    case 'downloading':
      return { ...next, downloadedBytes: currentBytes, sizeBytes: totalBytes > 0 ? totalBytes : base.sizeBytes };
    case 'downloaded':
      return { ...next, downloadedBytes: Math.max(base.sizeBytes, base.downloadedBytes) };
    case 'extracting':
      return {
        ...next,
        sizeBytes: base.sizeBytes > 0 ? base.sizeBytes : totalBytes,
        downloadedBytes: Math.max(base.sizeBytes, base.downloadedBytes),
        extracted: totalBytes > 0 ? Math.min(1, currentBytes / totalBytes) : base.extracted,
      };
    case 'done':
      return {
        ...next,
        downloadedBytes: Math.max(base.sizeBytes, base.downloadedBytes),
        extracted: 1,
        existed: item.status === 'Already exists',
      };
  }
}

function phaseOf(status: string): LayerPhase {
  if (status === 'Downloading') return 'downloading';
  if (status === 'Verifying Checksum' || status === 'Download complete') return 'downloaded';
  if (status === 'Extracting') return 'extracting';
  if (status === 'Pull complete' || status === 'Already exists') return 'done';
  return 'waiting';
}

/** 0…1 of one layer, download and unpacking together. */
export function layerFraction(layer: LayerProgress): number {
  if (layer.phase === 'done') return 1;
  const downloaded = layer.sizeBytes > 0 ? Math.min(1, layer.downloadedBytes / layer.sizeBytes) : 0;
  return downloaded * downloadShare + layer.extracted * (1 - downloadShare);
}

/** 0…1 of the whole, weighted by size (layers of unknown size weigh like the mean). Undefined before any layer. */
export function pullFraction({ layers }: PullTotals): number | undefined {
  const wanted = [...layers.values()].filter(({ existed }) => !existed);
  if (layers.size === 0) return undefined;
  if (wanted.length === 0) return 1;
  const known = wanted.filter(({ sizeBytes }) => sizeBytes > 0);
  const mean = known.length === 0 ? 1 : known.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / known.length;
  let done = 0;
  let all = 0;
  for (const layer of wanted) {
    const weight = layer.sizeBytes > 0 ? layer.sizeBytes : mean;
    done += weight * layerFraction(layer);
    all += weight;
  }
  return done / all;
}

/** Bytes per second over the last seconds; undefined when nothing moves. */
export function pullSpeed({ samples }: PullTotals): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last || last[0] - first[0] < 250 || last[1] <= first[1]) return undefined;
  return ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
}

/** What a window needs to draw it. */
export function progressOf(totals: PullTotals): TaskProgress {
  const fraction = pullFraction(totals);
  const bytesPerSecond = pullSpeed(totals);
  return {
    layers: [...totals.layers.values()],
    ...(fraction === undefined ? {} : { fraction }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(totals.digest === '' ? {} : { digest: totals.digest }),
  };
}
