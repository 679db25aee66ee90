/** `GET /wherry/v1/images/{name}/layers…`: what is in an image's layers, which Docker has no word for. */
import { EngineError } from '../../contract/errors.ts';
import { imageLayers, layerFolder, searchImageLayers } from '../use-cases/image-layers.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import { integerOf } from './query.ts';
import { sendJson } from './reply.ts';
import type { Route } from './route.ts';

export function imageLayerRoutes(parts: ImageParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/wherry/v1/images/*name/layers',
      handle: async ({ response, params, signal }) => {
        sendJson(response, await imageLayers(parts, params['name'] ?? '', signal));
      },
    },
    {
      method: 'GET',
      path: '/wherry/v1/images/*name/layers/files',
      handle: async ({ response, params, query, signal }) => {
        const [layer, path] = [integerOf(query, 'layer'), query.get('path') ?? ''];
        if (layer === undefined || path === '') {
          throw new EngineError('invalid-parameter', 'layer and path: the layer and the folder are needed');
        }
        sendJson(response, await layerFolder(parts, params['name'] ?? '', { layer, path }, signal));
      },
    },
    {
      method: 'GET',
      path: '/wherry/v1/images/*name/layers/search',
      handle: async ({ response, params, query, signal }) => {
        sendJson(response, await searchImageLayers(parts, params['name'] ?? '', query.get('text') ?? '', signal));
      },
    },
  ];
}
