/** Images: inspect, remove, pull. */
import { z } from 'zod';
import type { ImageDetails, PullProgress } from '../contract/engine.ts';
import { AppError } from '../contract/errors.ts';
import {
  imageHistory,
  imageInspect,
  imageRemoval,
  pullMessage,
  toImageDetails,
  toPullProgress,
} from '../engine/api.ts';
import { imageSegment, type EngineClient } from '../engine/client.ts';
import type { EngineFeed } from '../engine/events.ts';
import type { CallHandler, StreamHandler } from './handlers.ts';

export class ImageHandlers {
  readonly #engine: EngineClient;
  readonly #feed: EngineFeed;

  constructor(engine: EngineClient, feed: EngineFeed) {
    this.#engine = engine;
    this.#feed = feed;
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

  readonly pull: StreamHandler<'images.pull'> = ({ reference }, { signal }) => this.#pull(reference, signal);

  async *#pull(input: string, signal: AbortSignal): AsyncGenerator<PullProgress, void, undefined> {
    const reference = parseReference(input);
    const attempt = `pull ${reference.shown}`;
    const query = { fromImage: reference.name, tag: reference.tag };
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
      yield toPullProgress(message.data);
    }
    this.#feed.refresh('images');
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

/**
 * Cuts what the user typed into the API's `fromImage` and `tag`; without a tag or digest `latest` is meant, as the
 * docker command has it.
 */
export function parseReference(input: string): { readonly name: string; readonly tag: string; readonly shown: string } {
  const text = input.trim();
  const invalid = (reason: string) =>
    new AppError('invalid-input', `pull ${text || 'an image'}: ${reason}`, {
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
