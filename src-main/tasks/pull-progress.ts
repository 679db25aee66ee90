/** A pull's or push's progress objects folded into layers, totals and speed. Pure; times come in as values. */
import { sumLayers, type LayerPhase, type LayerProgress } from '../contract/tasks.ts';
import type { PullProgress } from '../engine/api.ts';
import { addSample, speedOf, type SpeedSamples } from './speed.ts';
import type { TaskProgress } from './tasks.ts';

export interface PullTotals {
  readonly layers: ReadonlyMap<string, LayerProgress>;
  /** The last message about the pull as a whole. */
  readonly message: string;
  readonly digest: string;
  readonly samples: SpeedSamples;
}

export const emptyTotals: PullTotals = { layers: new Map(), message: '', digest: '', samples: [] };

const downloadShare = 0.65;

export function foldPull(totals: PullTotals, items: readonly PullProgress[], nowMs: number): PullTotals {
  const layers = new Map(totals.layers);
  let { message, digest } = totals;
  for (const item of items) {
    // The whole-pull lines come with no layer, or (Docker) with the tag as their id: "Pulling from …", "Digest: …".
    if (item.layer === '' || /^(Pulling from|Digest:|Status:)/.test(item.status)) {
      if (item.status !== '') message = item.status;
      // A pull says `Digest: …`, a push `latest: digest: … size: …`.
      digest = /^(?:Digest|\S+: digest): (\S+)/.exec(item.status)?.[1] ?? digest;
    } else {
      layers.set(item.layer, foldLayer(layers.get(item.layer), item));
    }
  }
  const bytes = sumLayers(layers.values()).downloaded;
  return { layers, message, digest, samples: addSample(totals.samples, nowMs, bytes) };
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
    case 'sending':
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
        existed: /^(Already exists|Layer already exists|Mounted from )/.test(item.status),
      };
  }
}

function phaseOf(status: string): LayerPhase {
  if (status === 'Downloading') return 'downloading';
  if (status === 'Verifying Checksum' || status === 'Download complete') return 'downloaded';
  if (status === 'Extracting') return 'extracting';
  if (status === 'Pushing') return 'sending';
  if (/^(Pull complete|Already exists|Pushed|Layer already exists|Mounted from .*)$/.test(status)) return 'done';
  return 'waiting';
}

/** 0…1 of one layer, download and unpacking together. */
export function layerFraction(layer: LayerProgress): number {
  if (layer.phase === 'done') return 1;
  const downloaded = layer.sizeBytes > 0 ? Math.min(1, layer.downloadedBytes / layer.sizeBytes) : 0;
  if (layer.phase === 'sending') return downloaded;
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

/** What a window needs to draw it. */
export function progressOf(totals: PullTotals): TaskProgress {
  const fraction = pullFraction(totals);
  const bytesPerSecond = speedOf(totals.samples);
  return {
    layers: [...totals.layers.values()],
    ...(fraction === undefined ? {} : { fraction }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(totals.digest === '' ? {} : { digest: totals.digest }),
  };
}
