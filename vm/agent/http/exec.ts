/** `/containers/:id/exec` and `/exec/…`. */
import { createExec, inspectExec, prepareExec, resizeExec, startExec } from '../use-cases/exec-container.ts';
import type { Parts } from '../use-cases/parts.ts';
import { readBodyAs } from './body.ts';
import { hijack } from './hijack.ts';
import { sizeOf } from './query.ts';
import { sendJson, sendNothing } from './reply.ts';
import type { Route } from './route.ts';

export function execRoutes(parts: Parts): Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/:id/exec',
      handle: async ({ request, response, params }) => {
        const { createExecBody } = await import('./exec-body.ts');
        const config = await readBodyAs(request, createExecBody);
        sendJson(response, { Id: createExec(parts, params.id ?? '', config) }, 201);
      },
    },
    {
      method: 'POST',
      path: '/exec/:id/start',
      takesOver: true,
      handle: async ({ request, response, params }) => {
        const { startExecBody } = await import('./exec-body.ts');
        const body = await readBodyAs(request, startExecBody);
        const session = prepareExec(parts, params.id ?? '');
        if (body.Detach) {
          await startExec(parts, session, undefined);
          sendNothing(response, 200);
          return;
        }
        const content = session.config.tty ? 'raw-stream' : 'multiplexed-stream';
        await startExec(parts, session, () => hijack(request, response, content));
      },
    },
    {
      method: 'POST',
      path: '/exec/:id/resize',
      handle: async ({ response, params, query }) => {
        await resizeExec(parts, params.id ?? '', sizeOf(query));
        sendNothing(response, 200);
      },
    },
    {
      method: 'GET',
      path: '/exec/:id/json',
      handle: ({ response, params }) => {
        sendJson(response, inspectExec(parts, params.id ?? ''));
        return Promise.resolve();
      },
    },
  ];
}
