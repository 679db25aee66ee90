/** `/info`, `/version`. `/_ping` is in `wherry.ts`, because it answers before the engine is ready. */
import type { EventFeed } from '../events.ts';
import type { Parts } from '../use-cases/parts.ts';
import { systemInfo, systemVersion } from '../use-cases/system-info.ts';
import type { SystemFacts } from '../use-cases/system-info.ts';
import { sendJson } from './reply.ts';
import type { Route } from './route.ts';

export function systemRoutes(parts: Parts, facts: SystemFacts, events: EventFeed): Route[] {
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
  ];
}
