/** What the layers of an image do to each other's files, as `native/unpack` reads it from their folders. */
import { z } from 'zod';
import { layerChanges } from '../../contract/wherry-api.ts';
import type { ImageLayers, LayerFolder, LayerHits } from '../../contract/wherry-api.ts';
import type { UnpackProgram } from './unpack-program.ts';

type Program = Pick<UnpackProgram, 'compareLayers'>;

const sums = z.object({
  added: z.number(),
  modified: z.number(),
  deleted: z.number(),
  bytes: z.number(),
  deletedBytes: z.number(),
});
const change = z.enum(layerChanges);
const summaryLine = z.union([
  z.object({ layer: sums }),
  z.object({
    wasted: z.object({
      path: z.string(),
      size: z.number(),
      layer: z.number(),
      by: z.number(),
      removed: z.number(),
    }),
  }),
]);
const summaryResult = z.object({ files: z.number(), bytes: z.number() });
const entryLine = z.object({ entry: sums.extend({ name: z.string(), mode: z.number(), change }) });
const hitLine = z.object({
  hit: z.object({ path: z.string(), layer: z.number(), mode: z.number(), change, size: z.number() }),
});
const more = z.object({ more: z.number() });

/** @param folders the unpacked layers, lowest first; in the other functions too */
export async function summarizeLayers(
  program: Program,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<ImageLayers> {
  const layers: ImageLayers['layers'][number][] = [];
  const largest: ImageLayers['wasted']['largest'][number][] = [];
  const result = await program.compareLayers(['summary', ...folders], signal, (text) => {
    const line = summaryLine.parse(text);
    if ('layer' in line) layers.push(inBytes(line.layer));
    else {
      const { size, removed, ...rest } = line.wasted;
      largest.push({ ...rest, sizeBytes: size, removed: removed === 1 });
    }
  });
  const { files, bytes } = summaryResult.parse(result);
  return { layers, wasted: { files, sizeBytes: bytes, largest } };
}

/** What the last of the layers does in the folder `path`. */
export async function compareFolder(
  program: Program,
  folders: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<LayerFolder> {
  const entries: LayerFolder['entries'][number][] = [];
  const result = await program.compareLayers(['folder', path, ...folders], signal, (text) => {
    const { name, mode, change: how, ...rest } = entryLine.parse(text).entry;
    entries.push({ name, mode, change: how, ...inBytes(rest) });
  });
  return { entries, more: more.parse(result).more };
}

export async function searchLayers(
  program: Program,
  folders: readonly string[],
  text: string,
  signal: AbortSignal,
): Promise<LayerHits> {
  const hits: LayerHits['hits'][number][] = [];
  const result = await program.compareLayers(['find', text, ...folders], signal, (line) => {
    const { size, ...hit } = hitLine.parse(line).hit;
    hits.push({ ...hit, sizeBytes: size });
  });
  return { hits, more: more.parse(result).more > 0 };
}

function inBytes({ bytes, ...rest }: z.infer<typeof sums>): ImageLayers['layers'][number] {
  return { ...rest, sizeBytes: bytes };
}
