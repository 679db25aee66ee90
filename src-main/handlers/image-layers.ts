/** What is in the layers of an image. */
import type { EngineClient } from '../engine/client.ts';
import { imageSegment } from '../engine/client.ts';
import {
  imageLayers,
  layerFolder,
  layerHits,
  toLayerFolderView,
  toLayerHitsView,
  toLayersView,
} from '../engine/layers-api.ts';
import type { CallHandler } from './handlers.ts';

/** A large image on a slow machine. */
const timeoutMs = 120_000;

export class ImageLayerHandlers {
  readonly #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  readonly layers: CallHandler<'images.layers'> = async ({ id }, signal) => {
    const request = { attempt: 'compare the layers', path: pathOf(id), signal, timeoutMs };
    return toLayersView(await this.#engine.json(request, imageLayers));
  };

  readonly folder: CallHandler<'images.layerFolder'> = async ({ id, layer, path }, signal) => {
    const request = { path: `${pathOf(id)}/files`, query: { layer, path }, signal, timeoutMs };
    return toLayerFolderView(await this.#engine.json({ attempt: `list ${path}`, ...request }, layerFolder));
  };

  readonly search: CallHandler<'images.searchLayers'> = async ({ id, text }, signal) => {
    const request = { path: `${pathOf(id)}/search`, query: { text }, signal, timeoutMs };
    return toLayerHitsView(await this.#engine.json({ attempt: 'search the layers', ...request }, layerHits));
  };
}

function pathOf(id: string): string {
  return `/wherry/v1/images/${imageSegment(id)}/layers`;
}
