/** `/info`, `/version`, `/system/df`. `/_ping` is in `wherry.ts`, because it answers before the engine is ready. */
import { EngineError } from '../../contract/errors.ts';
import type { EventFeed } from '../events.ts';
import type { ImageParts } from '../use-cases/image-parts.ts';
import type { Parts } from '../use-cases/parts.ts';
import { dfTypes, systemDf } from '../use-cases/system-df.ts';
import { systemInfo, systemVersion } from '../use-cases/system-info.ts';
import type { SystemFacts } from '../use-cases/system-info.ts';
import { sendJson } from './reply.ts';
import type { Route } from './route.ts';

export function systemRoutes(parts: Parts, images: ImageParts, facts: SystemFacts, events: EventFeed): Route[] {
  return [
    {
      method: 'GET',
      path: '/version',
      handle: ({ response }) => {
        sendJson(response, systemVersion(facts));
        return Promise.resolve();
      },
    },
    {
      method: 'GET',
      path: '/info',
      handle: ({ response }) => {
        sendJson(response, systemInfo(parts, facts, events));
        return Promise.resolve();
      },
    },
    {
      method: 'GET',
      path: '/system/df',
      handle: async ({ response, query }) => {
        const asked = query.getAll('type');
        const unknown = asked.find((type) => !dfTypes.some((known) => known === type));
        if (unknown !== undefined) throw new EngineError('invalid-parameter', `unknown object type: ${unknown}`);
        const types = new Set(dfTypes.filter((type) => asked.length === 0 || asked.includes(type)));
        sendJson(response, await systemDf(parts, images, types));
      },
    },
  ];
}
