/** Whole volumes on their way: cloned, kept as a file, made of one; and what they weigh. */
import { z } from 'zod';
import type { VolumeCloneMessage, VolumeUsage } from '../../vm/contract/wherry-api.ts';
import { AppError } from '../contract/errors.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import type { EngineFeed } from '../engine/events.ts';
import { ByteMeter } from '../tasks/speed.ts';
import type { Tasks, TaskWork } from '../tasks/tasks.ts';
import type { CallHandler, StreamHandler } from './handlers.ts';
import { download, upload } from './transfers.ts';

/** A large volume on a slow disk. */
const measureTimeoutMs = 120_000;

const usage: z.ZodType<VolumeUsage> = z.object({ sizeBytes: z.number() });
const cloneMessage: z.ZodType<VolumeCloneMessage> = z.union([
  z.object({ kind: z.literal('progress'), files: z.number(), bytes: z.number(), totalBytes: z.number() }),
  z.object({ kind: z.literal('done'), files: z.number(), bytes: z.number(), sharedBytes: z.number() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);

export class VolumeTransferHandlers {
  readonly #engine: EngineClient;
  readonly #feed: EngineFeed;
  readonly #tasks: Tasks;

  constructor(engine: EngineClient, feed: EngineFeed, tasks: Tasks) {
    this.#engine = engine;
    this.#feed = feed;
    this.#tasks = tasks;
  }

  /** One after the other: each reads a whole tree. One that goes meanwhile has no size. */
  readonly sizes: CallHandler<'volumes.sizes'> = async ({ names }, signal) => {
    const sizes: { name: string; sizeBytes: number }[] = [];
    for (const name of names) {
      const request = { path: pathOf(name, 'usage'), signal, timeoutMs: measureTimeoutMs };
      try {
        const { sizeBytes } = await this.#engine.json({ attempt: `measure ${name}`, ...request }, usage);
        sizes.push({ name, sizeBytes });
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
      }
    }
    return { sizes };
  };

  readonly clone: CallHandler<'volumes.clone'> = ({ name, newName }) => {
    this.#refuseTaken(`clone ${name}`, newName);
    return { taskId: this.#tasks.start('clone-volume', `${name} as ${newName}`, this.#cloning(name, newName)) };
  };

  readonly export: StreamHandler<'volumes.export'> = ({ name }, context) => {
    const attempt = `export ${name}`;
    return download(this.#tasks, { kind: 'export-volume', name, attempt }, context, async (signal) => ({
      bytes: await this.#engine.stream({ attempt, path: pathOf(name, 'export'), signal, bulk: true }),
    }));
  };

  readonly import: StreamHandler<'volumes.import'> = ({ name, sizeBytes }, context) => {
    const attempt = `import ${name}`;
    this.#refuseTaken(attempt, name);
    return upload(
      this.#tasks,
      { kind: 'import-volume', name, attempt },
      sizeBytes,
      context,
      async (bytes, _, signal) => {
        await this.#engine.send({
          attempt,
          method: 'POST',
          path: pathOf(name, 'import'),
          upload: bytes,
          signal,
          bulk: true,
          timeoutMs: 0,
        });
        this.#feed.refresh('volumes');
      },
    );
  };

  #cloning(name: string, newName: string): TaskWork {
    const attempt = `clone ${name}`;
    return async (report, signal) => {
      const request = {
        attempt,
        method: 'POST',
        path: pathOf(name, 'clone'),
        body: { name: newName },
        signal,
      } as const;
      let meter: ByteMeter | undefined;
      for await (const object of this.#engine.ndjson({ ...request, bulk: true, timeoutMs: 0 })) {
        const message = cloneMessage.parse(object);
        if (message.kind === 'failed') throw new AppError('engine', `${attempt}: ${message.message}`);
        if (message.kind === 'done') {
          this.#feed.refresh('volumes');
          return message.bytes;
        }
        meter ??= new ByteMeter(message.totalBytes);
        report(meter.add(message.bytes - meter.done));
      }
      throw new AppError('engine', `${attempt}: the engine did not say how it ended`);
    };
  }

  /** Told before a whole file is sent. */
  #refuseTaken(attempt: string, name: string): void {
    if (!this.#feed.volumes.current.some((volume) => volume.name === name)) return;
    throw new AppError('conflict', `${attempt}: there is a volume named ${name} already`, {
      hint: 'Choose another name.',
    });
  }
}

function pathOf(name: string, what: string): string {
  return `/wherry/v1/volumes/${segment(name)}/${what}`;
}
