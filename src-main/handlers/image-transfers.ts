/** Images on their way: pushed to a registry, saved to a file, loaded from one, built from a folder. */
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import { parseBuildStep, sumLayers } from '../contract/tasks.ts';
import { buildMessage, failure, loadedImage, pullMessage, toPullProgress } from '../engine/api.ts';
import { imageSegment, type EngineClient, type EngineRequest } from '../engine/client.ts';
import type { EngineFeed } from '../engine/events.ts';
import { emptyTotals, foldPull, progressOf } from '../tasks/pull-progress.ts';
import type { TaskProgress, Tasks } from '../tasks/tasks.ts';
import type { RegistryLogins } from '../registries/logins.ts';
import type { CallHandler, StreamHandler } from './handlers.ts';
import { parseReference } from './image-reference.ts';
import { registryError } from './registry-error.ts';
import { download, upload } from './transfers.ts';

type Report = (progress: TaskProgress) => void;

export class ImageTransferHandlers {
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

  readonly push: CallHandler<'images.push'> = ({ reference }) => {
    const { name, tag, shown } = parseReference(reference, 'push');
    if (tag.includes(':')) throw new AppError('invalid-input', `push ${shown}: a digest cannot be pushed, only a tag`);
    const request: EngineRequest = {
      attempt: `push ${shown}`,
      method: 'POST',
      path: `/images/${imageSegment(name)}/push`,
      query: { tag },
      headers: this.#logins.headersFor(name),
    };
    return { taskId: this.#tasks.join('push', shown, (report, signal) => this.#push(request, report, signal)) };
  };

  /** How long it will be is known only about: layers are kept packed. */
  readonly save: StreamHandler<'images.save'> = ({ references }, context) => {
    const [first = '', ...rest] = references;
    const name = rest.length === 0 ? first : `${first} and ${rest.length} more`;
    const attempt = `save ${name}`;
    return download(this.#tasks, { kind: 'save-images', name, attempt }, context, async (signal) => ({
      bytes: await this.#engine.stream({
        attempt,
        // A name as it is: the engine splits what is joined by commas.
        path: rest.length === 0 ? `/images/${imageSegment(first)}/get` : '/images/get',
        ...(rest.length === 0 ? {} : { query: { names: references.join(',') } }),
        signal,
        bulk: true,
      }),
    }));
  };

  readonly load: StreamHandler<'images.load'> = ({ name, sizeBytes }, context) => {
    const attempt = `load ${name}`;
    const subject = { kind: 'load-images', name, attempt } as const;
    return upload(this.#tasks, subject, sizeBytes, context, async (bytes, report, signal, print) => {
      const names: string[] = [];
      const request = { attempt, method: 'POST', path: '/images/load', upload: bytes, signal, bulk: true } as const;
      for await (const { stream, status } of this.#messages(request, buildMessage)) {
        print(stream);
        names.push(...loadedImage(stream));
        if (names.length > 0) report({ names });
        else if (status !== '') report({ step: status });
      }
      if (names.length === 0) {
        throw new AppError('invalid-input', `${attempt}: there is no image in it`, {
          hint: 'An archive of images is made with Save, or with docker save.',
        });
      }
      report({ names });
      this.#feed.refresh('images');
    });
  };

  readonly build: StreamHandler<'images.build'> = (wanted, context) => {
    const named = wanted.reference.trim() === '' ? undefined : parseReference(wanted.reference, 'build');
    const name = named?.shown ?? 'an image without a name';
    const attempt = `build ${name}`;
    const request: EngineRequest = {
      attempt,
      method: 'POST',
      path: '/build',
      query: {
        t: named?.shown,
        dockerfile: wanted.dockerfile,
        target: wanted.target || undefined,
        buildargs: JSON.stringify(wanted.arguments),
        nocache: wanted.noCache || undefined,
        pull: wanted.pull || undefined,
        forcerm: true,
      },
      headers: this.#logins.headersForBuild(),
    };
    return upload(
      this.#tasks,
      { kind: 'build', name, attempt },
      wanted.sizeBytes,
      context,
      (bytes, report, signal, print) => this.#build({ ...request, upload: bytes, signal, bulk: true }, report, print),
    );
  };

  async #push(request: EngineRequest, report: Report, signal: AbortSignal): Promise<number> {
    let totals = emptyTotals;
    for await (const message of this.#messages({ ...request, signal }, pullMessage)) {
      totals = foldPull(totals, [toPullProgress(message)], Date.now());
      report(progressOf(totals));
    }
    this.#feed.refresh('images');
    return sumLayers([...totals.layers.values()].filter(({ existed }) => !existed)).downloaded;
  }

  async #build(request: EngineRequest, report: Report, print: (text: string) => void): Promise<void> {
    let built = '';
    let unfinished = '';
    for await (const { stream, status, id, progressDetail, aux } of this.#messages(request, buildMessage)) {
      const lines = (unfinished + stream).split('\n');
      unfinished = lines.pop() ?? '';
      for (const line of lines) {
        const step = parseBuildStep(line);
        if (step) report({ step: line, fraction: (step.number - 1) / step.of });
      }
      print(stream);
      // The pull of a base image: what happens to a layer, not how far it is.
      if (status !== '' && progressDetail?.current === undefined) print(`${id === '' ? '' : `${id}: `}${status}\n`);
      built = aux?.ID ?? built;
    }
    report({ names: [...(request.query?.['t'] === undefined ? [] : [String(request.query['t'])]), built] });
    this.#feed.refresh('images');
  }

  /** The objects of an answer that tells how a work goes; the last may tell that it failed. */
  async *#messages<T extends z.infer<typeof failure>>(
    request: EngineRequest,
    schema: z.ZodType<T>,
  ): AsyncGenerator<T, void, undefined> {
    for await (const object of this.#engine.ndjson(request)) {
      const message = schema.safeParse(object);
      if (!message.success) throw new AppError('engine', `${request.attempt}: ${z.prettifyError(message.error)}`);
      const reason = message.data.errorDetail?.message ?? message.data.error;
      if (reason !== undefined) throw registryError(request.attempt, reason);
      yield message.data;
    }
  }
}
