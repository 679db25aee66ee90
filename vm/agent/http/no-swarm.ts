/**
 * What this engine refuses, each as an engine answers that is in no swarm and has no plugins, or with 501 and the reason. The
 * table in README.md is made from it.
 */
import { EngineError } from '../../contract/errors.ts';
import type { EngineErrorCode } from '../../contract/errors.ts';
import { sendJson } from './reply.ts';
import type { Route } from './route.ts';

export interface Refusal extends Pick<Route, 'method' | 'path'> {
  readonly code: EngineErrorCode;
  /** `{name}` stands for the path's. */
  readonly message: string;
  /** For the table. */
  readonly reason: string;
}

const notManager = {
  code: 'unavailable',
  message:
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  reason: 'as an engine outside a swarm',
} as const;
const notMember = { ...notManager, message: 'This node is not part of a swarm' };
const noSwarm = {
  code: 'not-implemented',
  message: 'swarm mode is not supported: this engine runs on one machine',
  reason: 'no swarm mode',
} as const;
const noSuchPlugin = {
  code: 'not-found',
  message: 'plugin "{name}" not found',
  reason: 'there are no plugins',
} as const;
const noPlugins = {
  code: 'not-implemented',
  message: 'plugins are not supported: volumes, networks and logs have the built-in drivers only',
  reason: 'no plugins',
} as const;
const noBuildKit = {
  code: 'not-implemented',
  message: 'BuildKit is not part of this engine: build with the classic builder (DOCKER_BUILDKIT=0)',
  reason: 'no BuildKit; clients fall back to the classic builder',
} as const;

type Answer = Pick<Refusal, 'code' | 'message' | 'reason'>;

const refuse = (answer: Answer, method: Route['method'], ...paths: readonly string[]): Refusal[] =>
  paths.map((path) => ({ method, path, ...answer }));

export const refusals: readonly Refusal[] = [
  ...refuse(notManager, 'GET', '/swarm', '/swarm/unlockkey', '/nodes', '/nodes/:id'),
  ...refuse(notManager, 'POST', '/swarm/update', '/nodes/:id/update'),
  ...refuse(notManager, 'DELETE', '/nodes/:id', '/services/:id', '/secrets/:id', '/configs/:id'),
  ...refuse(notManager, 'GET', '/services', '/services/:id', '/services/:id/logs'),
  ...refuse(notManager, 'POST', '/services/create', '/services/:id/update'),
  ...refuse(notManager, 'GET', '/tasks', '/tasks/:id', '/tasks/:id/logs'),
  ...refuse(notManager, 'GET', '/secrets', '/secrets/:id', '/configs', '/configs/:id'),
  ...refuse(notManager, 'POST', '/secrets/create', '/secrets/:id/update', '/configs/create', '/configs/:id/update'),
  ...refuse(notMember, 'POST', '/swarm/leave', '/swarm/unlock'),
  ...refuse(noSwarm, 'POST', '/swarm/init', '/swarm/join'),
  ...refuse(noPlugins, 'GET', '/plugins/privileges'),
  ...refuse(noPlugins, 'POST', '/plugins/pull', '/plugins/create'),
  ...refuse(noSuchPlugin, 'GET', '/plugins/*name/json'),
  ...refuse(noSuchPlugin, 'DELETE', '/plugins/*name'),
  ...['enable', 'disable', 'upgrade', 'push', 'set'].flatMap((action) =>
    refuse(noSuchPlugin, 'POST', `/plugins/*name/${action}`),
  ),
  ...refuse(noBuildKit, 'POST', '/session', '/grpc'),
  ...refuse(
    {
      code: 'unavailable',
      message: 'volume update only valid for cluster volumes, but swarm is unavailable',
      reason: 'as an engine outside a swarm',
    },
    'PUT',
    '/volumes/:name',
  ),
];

/** The refusals, and the one list that is simply empty. */
export function noSwarmRoutes(): Route[] {
  return [
    {
      method: 'GET',
      path: '/plugins',
      handle: ({ response }) => {
        sendJson(response, []);
        return Promise.resolve();
      },
    },
    ...refusals.map(({ method, path, code, message }): Route => ({
      method,
      path,
      handle: ({ params }) => Promise.reject(new EngineError(code, message.replace('{name}', params.name ?? ''))),
    })),
  ];
}
