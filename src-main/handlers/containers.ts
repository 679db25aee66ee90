/** Containers: run, inspect and everything done to one. */
import { z } from 'zod';
import type { ContainerDetails, RunRequest } from '../contract/engine.ts';
import { AppError } from '../contract/errors.ts';
import {
  containerCreated,
  containerSummaries,
  processList,
  toContainerDetails,
  toContainerView,
} from '../engine/api.ts';
import { acceptEdit, editContainer, rollBackEdit } from '../engine/edit-container.ts';
import { segment, type EngineClient, type EngineRequest } from '../engine/client.ts';
import type { EngineFeed } from '../engine/events.ts';
import type { CallHandler } from './handlers.ts';

/** The engine waits up to ten seconds for the program, unless the container says otherwise. */
const stopTimeoutMs = 120_000;

export class ContainerHandlers {
  readonly #engine: EngineClient;
  readonly #feed: EngineFeed;

  constructor(engine: EngineClient, feed: EngineFeed) {
    this.#engine = engine;
    this.#feed = feed;
  }

  readonly run: CallHandler<'containers.run'> = async (request) => {
    const attempt = `run ${request.image}`;
    const created = await this.#engine.json(
      {
        attempt,
        method: 'POST',
        path: '/containers/create',
        query: { name: request.name?.trim() || undefined },
        body: createBody(request),
      },
      containerCreated,
    );
    try {
      await this.#post('start', created.Id, attempt);
    } catch (error) {
      this.#feed.refresh('containers');
      throw await this.#startError(error, created.Id, request);
    }
    return { id: created.Id, warnings: created.Warnings };
  };

  readonly inspect: CallHandler<'containers.inspect'> = async ({ id }, signal): Promise<ContainerDetails> => {
    const attempt = `inspect ${this.#name(id)}`;
    const [raw, list] = await Promise.all([
      this.#engine.json({ attempt, path: `/containers/${segment(id)}/json`, signal }, z.unknown()),
      this.#engine.json({ attempt, path: '/containers/json', query: { all: true }, signal }, containerSummaries),
    ]);
    const fullId = (raw as { Id?: unknown } | null)?.Id;
    const summary = list.find((container) => container.Id === fullId);
    return toContainerDetails(raw, summary && toContainerView(summary));
  };

  readonly start: CallHandler<'containers.start'> = ({ id }) => this.#post('start', id, `start ${this.#name(id)}`);
  readonly stop: CallHandler<'containers.stop'> = ({ id }) => this.#post('stop', id, `stop ${this.#name(id)}`);
  readonly restart: CallHandler<'containers.restart'> = ({ id }) =>
    this.#post('restart', id, `restart ${this.#name(id)}`);
  readonly kill: CallHandler<'containers.kill'> = ({ id }) => this.#post('kill', id, `kill ${this.#name(id)}`);
  readonly pause: CallHandler<'containers.pause'> = ({ id }) => this.#post('pause', id, `pause ${this.#name(id)}`);
  readonly unpause: CallHandler<'containers.unpause'> = ({ id }) =>
    this.#post('unpause', id, `resume ${this.#name(id)}`);

  readonly rename: CallHandler<'containers.rename'> = ({ id, name }) =>
    this.#post('rename', id, `rename ${this.#name(id)} to ${name}`, { name });

  readonly remove: CallHandler<'containers.remove'> = async ({ id, force, volumes }) => {
    await this.#engine.send({
      attempt: `remove ${this.#name(id)}`,
      method: 'DELETE',
      path: `/containers/${segment(id)}`,
      query: { force, v: volumes },
      timeoutMs: stopTimeoutMs,
    });
    this.#feed.refresh('containers');
  };

  readonly top: CallHandler<'containers.top'> = async ({ id }, signal) => {
    const { Titles, Processes } = await this.#engine.json(
      {
        attempt: `list the processes of ${this.#name(id)}`,
        path: `/containers/${segment(id)}/top`,
        query: { ps_args: 'aux' },
        signal,
      },
      processList,
    );
    return { titles: Titles, rows: Processes };
  };

  readonly edit: CallHandler<'containers.edit'> = ({ id, edit }) =>
    this.#refreshing(editContainer(this.#engine, id, edit));
  readonly acceptEdit: CallHandler<'containers.acceptEdit'> = ({ id }) =>
    this.#refreshing(acceptEdit(this.#engine, id));
  readonly rollBackEdit: CallHandler<'containers.rollBackEdit'> = ({ id }) =>
    this.#refreshing(rollBackEdit(this.#engine, id));

  #refreshing<T>(work: Promise<T>): Promise<T> {
    return work.finally(() => this.#feed.refresh('containers'));
  }

  async #post(verb: string, id: string, attempt: string, query?: EngineRequest['query']): Promise<void> {
    await this.#engine.send({
      attempt,
      method: 'POST',
      path: `/containers/${segment(id)}/${verb}`,
      // Already started or stopped: what was wanted is so.
      expect: [304],
      timeoutMs: stopTimeoutMs,
      ...(query ? { query } : {}),
    });
    this.#feed.refresh('containers');
  }

  /** Messages name containers as the user knows them. */
  #name(id: string): string {
    return this.#feed.containers.current.find((container) => container.id === id)?.name ?? id.slice(0, 12);
  }

  /** As with the docker command, the container stays, so that what went wrong can be looked at and mended. */
  async #startError(error: unknown, id: string, request: RunRequest): Promise<unknown> {
    if (!(error instanceof AppError)) return error;
    const name = await this.#engine
      .json({ attempt: 'ask for the name', path: `/containers/${segment(id)}/json` }, z.object({ Name: z.string() }))
      .then(({ Name }) => Name.replace(/^\//, ''))
      .catch(() => request.name ?? id.slice(0, 12));
    const kept = `The container ${name} was created and kept; remove it, or start it again once the cause is mended.`;
    return new AppError(error.code, error.message, {
      hint: error.hint ? `${error.hint} ${kept}` : kept,
      cause: error,
      ...(error.status === undefined ? {} : { status: error.status }),
    });
  }
}

/** The body of `POST /containers/create`. What the user left out is left to the image and the engine. */
export function createBody(request: RunRequest): Record<string, unknown> {
  const ports = request.ports ?? [];
  const key = (port: (typeof ports)[number]) => `${port.containerPort}/${port.protocol}`;
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    (bindings[key(port)] ??= []).push({
      HostIp: port.hostIp ?? '127.0.0.1',
      HostPort: port.hostPort ? String(port.hostPort) : '',
    });
  }
  return {
    Image: request.image.trim(),
    ...(request.command?.length ? { Cmd: request.command } : {}),
    ...(request.entrypoint?.length ? { Entrypoint: request.entrypoint } : {}),
    ...(request.environment?.length ? { Env: request.environment } : {}),
    // A terminal without an open stdin reads its end at once.
    ...(request.tty ? { Tty: true, OpenStdin: true } : {}),
    ExposedPorts: Object.fromEntries(ports.map((port) => [key(port), {}])),
    HostConfig: {
      PortBindings: bindings,
      RestartPolicy: { Name: request.restartPolicy ?? 'no', MaximumRetryCount: 0 },
      AutoRemove: request.removeWhenStopped ?? false,
      ...(request.memoryBytes ? { Memory: request.memoryBytes } : {}),
      ...(request.cpus ? { NanoCpus: Math.round(request.cpus * 1e9) } : {}),
      ...(request.pidsLimit ? { PidsLimit: request.pidsLimit } : {}),
      ...(request.network ? { NetworkMode: request.network } : {}),
      ...(request.volumes?.length
        ? {
            Mounts: request.volumes.map(({ name, path, readOnly }) => ({
              Type: 'volume',
              Source: name,
              Target: path,
              ReadOnly: readOnly,
            })),
          }
        : {}),
    },
  };
}
