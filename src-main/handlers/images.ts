/** Images: inspect, tag, remove, pull, prune. */
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
import type { CallHandler } from './handlers.ts';

export class ImageHandlers {
  readonly #engine: EngineClient;
  readonly #feed: EngineFeed;
  readonly #tasks: Tasks;

  constructor(engine: EngineClient, feed: EngineFeed, tasks: Tasks) {
    this.#engine = engine;
    this.#feed = feed;
    this.#tasks = tasks;
  }

  readonly inspect: CallHandler<'images.inspect'> = async ({ id }, signal): Promise<ImageDetails> => {
    const attempt = `inspect ${id}`;
    const path = `/images/${imageSegment(id)}`;
    const [image, history] = await Promise.all([
      this.#engine.json({ attempt, path: `${path}/json`, signal }, imageInspect),
      this.#engine.json({ attempt, path: `${path}/history`, signal }, imageHistory),
    ]);
    return toImageDetails(image, history, this.#feed.namesUsing(image.Id));
  };

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
    return { taskId: this.#tasks.start('pull', wanted.shown, (report, signal) => this.#pull(wanted, report, signal)) };
  };

  readonly prune: CallHandler<'images.prune'> = ({ unused }) => {
    const subject = unused ? 'all unused images' : 'untagged images';
    return { taskId: this.#tasks.start('prune-images', subject, (_report, signal) => this.#prune(unused, signal)) };
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
      signal,
    })) {
      const message = pullMessage.safeParse(object);
      if (!message.success) throw new AppError('engine', `${attempt}: ${z.prettifyError(message.error)}`);
      const failure = message.data.errorDetail?.message ?? message.data.error;
      if (failure !== undefined) throw pullError(attempt, failure);
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

function pullError(attempt: string, reason: string): AppError {
  if (/manifest unknown|not found|name unknown|does not exist/i.test(reason)) {
    return new AppError('not-found', `${attempt}: ${reason}`, { hint: 'Check the spelling of the name and the tag.' });
  }
  if (/unauthorized|denied|authentication required/i.test(reason)) {
    const hint = 'The image may not exist, or its registry wants a login.';
    return new AppError('engine', `${attempt}: ${reason}`, { hint });
  }
  if (/no such host|connection refused|timeout|timed out|unreachable|EAI_AGAIN|ENOTFOUND|ECONNREFUSED/i.test(reason)) {
    const hint = 'Check that the registry’s name is right and that this machine can reach it.';
    return new AppError('engine', `${attempt}: ${reason}`, { hint });
  }
  return new AppError('engine', `${attempt}: ${reason}`);
}

interface Reference {
  readonly name: string;
  readonly tag: string;
  /** As the user knows it. */
  readonly shown: string;
}

/**
 * Cuts what the user typed into the API's `fromImage` and `tag`; without a tag or digest `latest` is meant, as the
 * docker command has it.
 */
export function parseReference(input: string, verb = 'pull'): Reference {
  const text = input.trim();
  const invalid = (reason: string) =>
    new AppError('invalid-input', `${verb} ${text || 'an image'}: ${reason}`, {
      hint: 'Names look like nginx, debian:12 or registry.example:5000/team/app:1.0.',
    });
  if (text === '') throw invalid('no name was given');
  if (/[\s\p{Cc}]/u.test(text) || text.includes('://')) throw invalid('this is no image name');
  const at = text.indexOf('@');
  if (at > 0) return { name: text.slice(0, at).replace(/:[^:/]*$/, ''), tag: text.slice(at + 1), shown: text };
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1);
  if (colon === -1) return { name: text, tag: 'latest', shown: `${text}:latest` };
  if (colon === text.length - 1) throw invalid('the tag after the colon is missing');
  return { name: text.slice(0, colon), tag: text.slice(colon + 1), shown: text };
}
