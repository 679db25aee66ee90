/**
 * Editing a container. Limits and the restart policy are changed in place; anything else makes a new container of the
 * same name, with the same volumes and networks. The old one is renamed and kept, stopped, until the user accepts the
 * new one or goes back. When a step fails, all before it is undone, so that the old one is as it was.
 *
 * Which container is kept for which is written on the new one (a label), not held by the host: it survives everything.
 */
import type { ContainerEdit, EditResult } from '../contract/engine.ts';
import { AppError } from '../contract/errors.ts';
import { containerCreated, imageInspect } from './api.ts';
import { imageSegment, segment, type EngineClient } from './client.ts';
import {
  editableInspect,
  keptPolicy,
  recreateBody,
  replacesLabel,
  updateBody,
  type EditableInspect,
  type RestartPolicy,
} from './edited-container.ts';

/** The engine waits up to ten seconds for the program, unless the container says otherwise. */
const stopTimeoutMs = 120_000;

type Engine = Pick<EngineClient, 'json' | 'send'>;

export async function editContainer(engine: Engine, id: string, edit: ContainerEdit): Promise<EditResult> {
  const old = await inspect(engine, id);
  const name = nameOf(old);
  const attempt = `edit ${name}`;
  const update = updateBody(old, edit);
  if (update) {
    const path = `/containers/${segment(id)}/update`;
    if (Object.keys(update).length > 0) await engine.send({ attempt, method: 'POST', path, body: update });
    return { id, recreated: false, warnings: [] };
  }
  await refuseWhatCannotBe(engine, old, attempt);
  const { image, entrypoint } = await sameImage(engine, old, attempt);
  const steps = new Steps(engine, attempt);
  return steps.run(async () => {
    if (old.State.Running) await steps.stop(old.Id);
    await steps.rename(old.Id, name, await freeName(engine, `${name}.before-edit`));
    const policy = old.HostConfig.RestartPolicy;
    // With "always" it would come back beside the new one when the engine starts next.
    if (policy) await steps.setPolicy(old.Id, policy, { Name: 'no', MaximumRetryCount: 0 });
    const created = await engine.json(
      {
        attempt,
        method: 'POST',
        path: '/containers/create',
        query: { name },
        body: recreateBody(old, edit, image, entrypoint),
      },
      containerCreated,
    );
    steps.undoLater('remove the new container', () => remove(engine, created.Id, attempt));
    if (old.State.Running) await steps.post(created.Id, 'start');
    return { id: created.Id, recreated: true, warnings: created.Warnings };
  });
}

/** The old container is no longer needed. Its volumes stay: the new one uses them. */
export async function acceptEdit(engine: Engine, id: string): Promise<void> {
  const edited = await inspect(engine, id);
  const attempt = `keep the edited ${nameOf(edited)}`;
  const old = await keptOf(engine, edited);
  if (!old) throw new AppError('not-found', `${attempt}: the container before it is gone already`);
  await remove(engine, old.Id, attempt);
}

/** The old container takes its name back, and runs if the new one did; then the new one is removed. */
export async function rollBackEdit(engine: Engine, id: string): Promise<{ id: string }> {
  const edited = await inspect(engine, id);
  const name = nameOf(edited);
  const attempt = `put back ${name}`;
  const old = await keptOf(engine, edited);
  if (!old) throw new AppError('not-found', `${attempt}: the container before it is gone`);
  const steps = new Steps(engine, attempt);
  await steps.run(async () => {
    if (edited.State.Running) await steps.stop(edited.Id);
    await steps.rename(edited.Id, name, await freeName(engine, `${name}.rolled-back`));
    await steps.rename(old.Id, nameOf(old), name);
    const policy = keptPolicy(edited);
    if (policy && old.HostConfig.RestartPolicy) await steps.setPolicy(old.Id, old.HostConfig.RestartPolicy, policy);
    if (edited.State.Running) await steps.post(old.Id, 'start');
  });
  await remove(engine, edited.Id, attempt);
  return { id: old.Id };
}

/** Steps that are undone, last first, when one of them fails. */
class Steps {
  readonly #engine: Engine;
  readonly #attempt: string;
  readonly #undos: { readonly what: string; readonly undo: () => Promise<void> }[] = [];

  constructor(engine: Engine, attempt: string) {
    this.#engine = engine;
    this.#attempt = attempt;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await this.#undoAll(error);
    }
  }

  undoLater(what: string, undo: () => Promise<void>): void {
    this.#undos.push({ what, undo });
  }

  /** A stop that fails may have stopped it all the same: it is started again in any case. */
  async stop(id: string): Promise<void> {
    this.undoLater('start it again', () => this.post(id, 'start'));
    await this.post(id, 'stop');
  }

  async rename(id: string, from: string, to: string): Promise<void> {
    await this.post(id, 'rename', to);
    this.undoLater(`name it ${from} again`, () => this.post(id, 'rename', from));
  }

  async setPolicy(id: string, from: RestartPolicy, to: RestartPolicy): Promise<void> {
    if (from.Name === to.Name) return;
    const update = async (RestartPolicy: RestartPolicy): Promise<void> => {
      const path = `/containers/${segment(id)}/update`;
      await this.#engine.send({ attempt: this.#attempt, method: 'POST', path, body: { RestartPolicy } });
    };
    await update(to);
    this.undoLater('set its restart policy again', () => update(from));
  }

  async post(id: string, verb: string, name?: string): Promise<void> {
    await this.#engine.send({
      attempt: this.#attempt,
      method: 'POST',
      path: `/containers/${segment(id)}/${verb}`,
      query: { name },
      expect: [304],
      timeoutMs: stopTimeoutMs,
    });
  }

  /** Says what happened, and what could not be undone. */
  async #undoAll(error: unknown): Promise<AppError> {
    const failed: string[] = [];
    for (let entry = this.#undos.pop(); entry; entry = this.#undos.pop()) {
      try {
        await entry.undo();
      } catch (problem) {
        failed.push(`${entry.what}: ${problem instanceof Error ? problem.message : String(problem)}`);
      }
    }
    const original = error instanceof AppError ? error : new AppError('internal', `${this.#attempt}: ${String(error)}`);
    const state =
      failed.length === 0
        ? 'Everything is as it was before.'
        : `Putting back what was before failed too (${failed.join('; ')}). No container was lost; look for both in the list.`;
    return new AppError(original.code, original.message, {
      hint: original.hint === undefined ? state : `${original.hint} ${state}`,
      cause: error,
      ...(original.status === undefined ? {} : { status: original.status }),
    });
  }
}

async function refuseWhatCannotBe(engine: Engine, old: EditableInspect, attempt: string): Promise<void> {
  if (old.HostConfig.AutoRemove) {
    throw new AppError('conflict', `${attempt}: it removes itself when it stops, so it could not be kept meanwhile`, {
      hint: 'Limits and the restart policy can be changed; for the rest, run a new container.',
    });
  }
  if (await keptOf(engine, old)) {
    throw new AppError('conflict', `${attempt}: its last edit has not been accepted yet`, {
      hint: 'Keep the last edit, or go back to what was before it, first.',
    });
  }
}

/** The container kept from before the edit that made this one, if it is still there. */
async function keptOf(engine: Engine, edited: EditableInspect): Promise<EditableInspect | undefined> {
  const id = edited.Config.Labels?.[replacesLabel];
  if (id === undefined) return undefined;
  try {
    return await inspect(engine, id);
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function inspect(engine: Engine, id: string): Promise<EditableInspect> {
  const path = `/containers/${segment(id)}/json`;
  return engine.json({ attempt: `inspect ${id.slice(0, 12)}`, path }, editableInspect);
}

/** The tag may name another image by now: then the image is named by its id. */
async function sameImage(
  engine: Engine,
  { Image, Config }: EditableInspect,
  attempt: string,
): Promise<{ image: string; entrypoint: readonly string[] }> {
  const read = (name: string) => engine.json({ attempt, path: `/images/${imageSegment(name)}/json` }, imageInspect);
  const byId = await read(Image);
  const byName = await read(Config.Image).catch(() => undefined);
  const image = byName?.Id === byId.Id ? Config.Image : Image;
  return { image, entrypoint: byId.Config?.Entrypoint ?? [] };
}

/** `web.before-edit`, or with a number behind it when that is taken. */
async function freeName(engine: Engine, wanted: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    const path = `/containers/${segment(name)}/json`;
    const status = await engine.send({ attempt: `look for ${name}`, path, expect: [404] });
    if (status === 404) return name;
  }
}

async function remove(engine: Engine, id: string, attempt: string): Promise<void> {
  await engine.send({
    attempt,
    method: 'DELETE',
    path: `/containers/${segment(id)}`,
    // Never its volumes: both containers use them.
    query: { force: true, v: false },
    timeoutMs: stopTimeoutMs,
  });
}

function nameOf({ Name }: EditableInspect): string {
  return Name.replace(/^\//, '');
}
