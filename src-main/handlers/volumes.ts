/** Volumes: create, inspect, remove. */
import { z } from 'zod';
import type { VolumesRemoved } from '../contract/volumes.ts';
import { AppError } from '../contract/errors.ts';
import { volumeCreated } from '../engine/resources-api.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import type { EngineFeed } from '../engine/events.ts';
import type { CallHandler } from './handlers.ts';

export class VolumeHandlers {
  readonly #engine: EngineClient;
  readonly #feed: EngineFeed;

  constructor(engine: EngineClient, feed: EngineFeed) {
    this.#engine = engine;
    this.#feed = feed;
  }

  readonly create: CallHandler<'volumes.create'> = async ({ name, labels }) => {
    const attempt = name === '' ? 'create a volume' : `create ${name}`;
    if (this.#feed.volumes.current.some((volume) => volume.name === name)) {
      // The engine would answer with the one that is there, and the user would think it empty.
      throw new AppError('conflict', `${attempt}: there is a volume of that name already`, {
        hint: 'Choose another name.',
      });
    }
    const body = { ...(name === '' ? {} : { Name: name }), Labels: labels };
    const created = await this.#engine.json({ attempt, method: 'POST', path: '/volumes/create', body }, volumeCreated);
    this.#feed.refresh('volumes');
    return { name: created.Name };
  };

  readonly inspect: CallHandler<'volumes.inspect'> = async ({ name }, signal) => ({
    raw: await this.#engine.json(
      { attempt: `inspect ${name}`, path: `/volumes/${segment(name)}`, signal },
      z.unknown(),
    ),
  });

  /**
   * Exactly these, one after another: what was shown to the user is what goes, whatever the engine's prune would take by
   * now. One that is gone already is as wanted.
   */
  readonly remove: CallHandler<'volumes.remove'> = async ({ names }): Promise<VolumesRemoved> => {
    const removed: string[] = [];
    const kept: { name: string; reason: string }[] = [];
    for (const name of names) {
      try {
        const path = `/volumes/${segment(name)}`;
        await this.#engine.send({ attempt: `remove ${name}`, method: 'DELETE', path, expect: [404] });
        removed.push(name);
      } catch (error) {
        // A refusal is about this one; anything else would come again with the next.
        if (!(error instanceof AppError) || error.status === undefined) throw error;
        kept.push({ name, reason: error.message });
      }
    }
    this.#feed.refresh('volumes');
    return { removed, kept };
  };
}
