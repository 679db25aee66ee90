/** The engine's words for what is in layers, and their translation into view types. */
import { z } from 'zod';
import { layerChanges } from '../../vm/contract/wherry-api.ts';
import type { ImageLayers, LayerFolder, LayerHits } from '../../vm/contract/wherry-api.ts';
import type { LayerEntry, LayerFolderView, LayerHitsView, LayersView } from '../contract/layers.ts';
import { fileKindOf } from './files-api.ts';

const sums = {
  added: z.number(),
  modified: z.number(),
  deleted: z.number(),
  sizeBytes: z.number(),
  deletedBytes: z.number(),
};
const change = z.enum(layerChanges);

export const imageLayers: z.ZodType<ImageLayers> = z.object({
  layers: z.array(z.object(sums)),
  wasted: z.object({
    files: z.number(),
    sizeBytes: z.number(),
    largest: z.array(
      z.object({
        path: z.string(),
        sizeBytes: z.number(),
        layer: z.number(),
        by: z.number(),
        removed: z.boolean(),
      }),
    ),
  }),
});

export const layerFolder: z.ZodType<LayerFolder> = z.object({
  entries: z.array(z.object({ ...sums, name: z.string(), mode: z.number(), change })),
  more: z.number(),
});

export const layerHits: z.ZodType<LayerHits> = z.object({
  hits: z.array(z.object({ path: z.string(), layer: z.number(), mode: z.number(), change, sizeBytes: z.number() })),
  more: z.boolean(),
});

export function toLayersView({ layers, wasted }: ImageLayers): LayersView {
  const largest = wasted.largest.map(({ path, ...rest }) => ({ ...rest, path: `/${path}` }));
  return { layers, wasted: { ...wasted, largest } };
}

export function toLayerFolderView({ entries, more }: LayerFolder): LayerFolderView {
  const views = entries.map(({ mode, ...entry }): LayerEntry => ({ ...entry, kind: fileKindOf(mode) }));
  const weight = ({ sizeBytes, deletedBytes }: LayerEntry) => sizeBytes + deletedBytes;
  return { entries: views.sort((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1)), more };
}

export function toLayerHitsView({ hits, more }: LayerHits): LayerHitsView {
  return {
    hits: hits.flatMap(({ mode, path, change: how, ...hit }) =>
      how === 'unchanged' ? [] : [{ ...hit, path: `/${path}`, kind: fileKindOf(mode), change: how }],
    ),
    more,
  };
}
