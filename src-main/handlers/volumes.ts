/** Volumes: create, inspect, remove. */
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import { volumeCreated } from '../engine/resources-api.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import type { EngineFeed } from '../engine/events.ts';
import type { CallHandler } from './handlers.ts';
import { removeSeveral } from './remove-several.ts';

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

  /** One that is gone already is as wanted. */
  readonly remove: CallHandler<'volumes.remove'> = async ({ names }) => {
    const removal = await removeSeveral(names, (name) => {
      const path = `/volumes/${segment(name)}`;
      return this.#engine.send({ attempt: `remove ${name}`, method: 'DELETE', path, expect: [404] });
    });
    this.#feed.refresh('volumes');
    return removal;
  };
}
