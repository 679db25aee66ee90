/** Images: inspect, tag, remove, pull, prune. What carries whole images is in `image-transfers.ts`. */
import { z } from 'zod';
import type { ImageDetails } from '../contract/engine.ts';
import { AppError } from '../contract/errors.ts';
import { sumLayers } from '../contract/tasks.ts';
import {
  imageHistory,
  imageInspect,
  imagePrune,
  imageRemoval,
  pullMessage,
  toImageDetails,
  toPullProgress,
} from '../engine/api.ts';
import { imageSegment, type EngineClient } from '../engine/client.ts';
import type { EngineFeed } from '../engine/events.ts';
import { emptyTotals, foldPull, progressOf } from '../tasks/pull-progress.ts';
import type { TaskProgress, Tasks } from '../tasks/tasks.ts';
import type { RegistryLogins } from '../registries/logins.ts';
import type { CallHandler } from './handlers.ts';
import { sharersOf, withSharers, type LayeredImage } from '../engine/shared-layers.ts';
import { parseReference, type Reference } from './image-reference.ts';
import { registryError } from './registry-error.ts';

/** With how many other images one is compared. */
const maxCompared = 500;

export class ImageHandlers {
  readonly #engine: EngineClient;
  readonly #feed: EngineFeed;
  readonly #tasks: Tasks;
  readonly #logins: RegistryLogins;

  constructor(engine: EngineClient, feed: EngineFeed, tasks: Tasks, logins: RegistryLogins) {
    this.#engine = engine;
    this.#feed = feed;
    this.#tasks = tasks;
    this.#logins = logins;
  }

  readonly inspect: CallHandler<'images.inspect'> = async ({ id }, signal): Promise<ImageDetails> => {
    const attempt = `inspect ${id}`;
    const path = `/images/${imageSegment(id)}`;
    const [image, history] = await Promise.all([
      this.#engine.json({ attempt, path: `${path}/json`, signal }, imageInspect),
      this.#engine.json({ attempt, path: `${path}/history`, signal }, imageHistory),
    ]);
    const details = toImageDetails(image, history, this.#feed.namesUsing(image.Id));
    const sharers = sharersOf(image.RootFS, await this.#others(image.Id, signal));
    return { ...details, history: withSharers(details.history, sharers) };
  };

  /** One that goes meanwhile shares nothing. */
  async #others(id: string, signal: AbortSignal): Promise<readonly LayeredImage[]> {
    const attempt = 'compare the layers';
    const others = this.#feed.images.current.filter((other) => other.id !== id).slice(0, maxCompared);
    const read = others.map(async ({ id: other, tags }): Promise<LayeredImage> => {
      const path = `/images/${imageSegment(other)}/json`;
      const found = await this.#engine.json({ attempt, path, signal }, imageInspect).catch(() => undefined);
      return { name: tags[0] ?? other, layers: found?.RootFS ?? [] };
    });
    return Promise.all(read);
  }

  readonly remove: CallHandler<'images.remove'> = async ({ id, force }) => {
    const removed = await this.#engine.json(
      { attempt: `remove ${id}`, method: 'DELETE', path: `/images/${imageSegment(id)}`, query: { force } },
      imageRemoval,
    );
    this.#feed.refresh('images');
    return {
      untagged: removed.flatMap(({ Untagged }) => Untagged ?? []),
      deleted: removed.flatMap(({ Deleted }) => Deleted ?? []),
    };
  };

  readonly tag: CallHandler<'images.tag'> = async ({ id, reference }) => {
    const { name, tag, shown } = parseReference(reference, 'tag as');
    if (tag.includes(':')) throw new AppError('invalid-input', `tag as ${shown}: a digest cannot be given, only found`);
    await this.#engine.send({
      attempt: `tag as ${shown}`,
      method: 'POST',
      path: `/images/${imageSegment(id)}/tag`,
      query: { repo: name, tag },
    });
    this.#feed.refresh('images');
  };

  readonly pull: CallHandler<'images.pull'> = ({ reference }) => {
    const wanted = parseReference(reference);
    return { taskId: this.#tasks.join('pull', wanted.shown, (report, signal) => this.#pull(wanted, report, signal)) };
  };

  readonly prune: CallHandler<'images.prune'> = ({ unused }) => {
    const subject = unused ? 'all unused images' : 'untagged images';
    return { taskId: this.#tasks.join('prune-images', subject, (_report, signal) => this.#prune(unused, signal)) };
  };

  async #pull(reference: Reference, report: (progress: TaskProgress) => void, signal: AbortSignal): Promise<number> {
    const attempt = `pull ${reference.shown}`;
    const query = { fromImage: reference.name, tag: reference.tag };
    let totals = emptyTotals;
    for await (const object of this.#engine.ndjson({
      attempt,
      method: 'POST',
      path: '/images/create',
      query,
      headers: this.#logins.headersFor(reference.name),
      signal,
    })) {
      const message = pullMessage.safeParse(object);
      if (!message.success) throw new AppError('engine', `${attempt}: ${z.prettifyError(message.error)}`);
      const failure = message.data.errorDetail?.message ?? message.data.error;
      if (failure !== undefined) throw registryError(attempt, failure);
      totals = foldPull(totals, [toPullProgress(message.data)], Date.now());
      report(progressOf(totals));
    }
    this.#feed.refresh('images');
    return sumLayers(totals.layers.values()).downloaded;
  }

  /** Nothing tells how far it is, and stopping in the middle leaves whole images only. */
  async #prune(unused: boolean, signal: AbortSignal): Promise<number> {
    const { SpaceReclaimed } = await this.#engine.json(
      {
        attempt: 'remove the images',
        method: 'POST',
        path: '/images/prune',
        query: { filters: JSON.stringify({ dangling: [String(!unused)] }) },
        signal,
        timeoutMs: 0,
      },
      imagePrune,
    );
    this.#feed.refresh('images');
    return SpaceReclaimed;
  }
}
