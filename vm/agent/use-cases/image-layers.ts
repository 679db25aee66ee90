/** What is in the layers of an image. Nothing is remembered: the names are read from the disk for each question. */
import { EngineError } from '../../contract/errors.ts';
import type { ImageLayers, LayerFolder, LayerHits } from '../../contract/wherry-api.ts';
import { compareFolder, searchLayers, summarizeLayers } from '../snapshots/compare-layers.ts';
import { UnpackError } from '../snapshots/unpack-program.ts';
import { findImage } from './find-image.ts';
import type { ImageParts } from './image-parts.ts';

type Parts = Pick<ImageParts, 'records' | 'snapshotter' | 'program'>;

const maxTextChars = 256;

export async function imageLayers(parts: Parts, name: string, signal: AbortSignal): Promise<ImageLayers> {
  return summarizeLayers(parts.program, await foldersOf(parts, name), signal);
}

/** @param layer an index from the bottom */
export async function layerFolder(
  parts: Parts,
  name: string,
  { layer, path }: { readonly layer: number; readonly path: string },
  signal: AbortSignal,
): Promise<LayerFolder> {
  const folders = await foldersOf(parts, name);
  if (layer < 0 || layer >= folders.length) {
    throw new EngineError('not-found', `the image ${name} has no layer ${layer}: it has ${folders.length}`);
  }
  if (path.includes('\0')) throw new EngineError('invalid-parameter', 'invalid path: it holds a NUL');
  try {
    return await compareFolder(parts.program, folders.slice(0, layer + 1), path, signal);
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    if (error.kind === 'unsafe') throw new EngineError('invalid-parameter', error.message, { cause: error });
    if (error.kind !== 'not-found') throw error;
    throw new EngineError('not-found', `the layer has no folder ${path}`, { cause: error });
  }
}

export async function searchImageLayers(
  parts: Parts,
  name: string,
  text: string,
  signal: AbortSignal,
): Promise<LayerHits> {
  if (text === '' || text.length > maxTextChars || text.includes('\0')) {
    throw new EngineError('invalid-parameter', `text: 1 to ${maxTextChars} characters to look for are needed`);
  }
  return searchLayers(parts.program, await foldersOf(parts, name), text, signal);
}

/** Lowest first. */
async function foldersOf({ records, snapshotter }: Parts, name: string): Promise<string[]> {
  const { image } = findImage(records, name);
  const folders = await snapshotter.layerFolders(image.layers.map(({ diffId }) => diffId));
  return folders.reverse();
}
