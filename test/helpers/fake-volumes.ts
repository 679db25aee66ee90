/** The fake host's clones, exports and imports of volumes: the product's own transfers, with an engine that is made up. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { VolumeView } from '../../src-main/contract/volumes.ts';
import { AppError } from '../../src-main/contract/errors.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import { download, upload } from '../../src-main/handlers/transfers.ts';
import { ByteMeter } from '../../src-main/tasks/speed.ts';
import type { Tasks } from '../../src-main/tasks/tasks.ts';
import type { Record, Source } from './handlers.ts';

type Calls = Pick<Handlers['calls'], 'volumes.sizes' | 'volumes.clone'>;
type Streams = Pick<Handlers['streams'], 'volumes.export' | 'volumes.import'>;

export class FakeVolumes {
  /** Between two steps of a clone. */
  stepMs = 15;
  /** What was imported, by the name of its volume. */
  readonly imported = new Map<string, string>();
  readonly calls: Calls;
  readonly streams: Streams;
  readonly #volumes: Source<readonly VolumeView[]>;

  constructor(tasks: Tasks, volumes: Source<readonly VolumeView[]>, record: Record) {
    this.#volumes = volumes;
    this.calls = {
      'volumes.sizes': ({ names }) =>
        record('volumes.sizes', { names }, () => ({
          sizes: names.map((name) => ({ name, sizeBytes: name.length * 1_000_000 })),
        })),
      'volumes.clone': ({ name, newName }) =>
        record('volumes.clone', { name, newName }, () => {
          this.#refuseTaken(`clone ${name}`, newName);
          return { taskId: tasks.start('clone-volume', `${name} as ${newName}`, this.#cloning(name, newName)) };
        }),
    };
    this.streams = {
      'volumes.export': ({ name }, context) => {
        void record('volumes.export', { name }, () => undefined);
        const source = async function* () {
          yield await Promise.resolve(Buffer.from(`all of ${name}`));
        };
        return download(tasks, { kind: 'export-volume', name, attempt: `export ${name}` }, context, () =>
          Promise.resolve({ bytes: source() }),
        );
      },
      'volumes.import': ({ name, sizeBytes }, context) =>
        upload(tasks, { kind: 'import-volume', name, attempt: `import ${name}` }, sizeBytes, context, async (bytes) => {
          const pieces: Buffer[] = [];
          for await (const piece of bytes) pieces.push(piece);
          const text = Buffer.concat(pieces).toString();
          if (text.includes('broken')) throw new AppError('invalid-input', `import ${name}: the archive is truncated`);
          this.imported.set(name, text);
          this.#add(name);
        }),
    };
  }

  #cloning(name: string, newName: string): Parameters<Tasks['start']>[2] {
    return async (report, signal) => {
      const meter = new ByteMeter(10_000_000);
      for (let step = 0; step < 10; step += 1) {
        await sleep(this.stepMs);
        signal.throwIfAborted();
        report(meter.add(1_000_000));
      }
      if (newName.includes('full')) throw new AppError('engine', `clone ${name}: no space left on device`);
      this.#add(newName);
      return meter.done;
    };
  }

  #add(name: string): void {
    const [some] = this.#volumes.current;
    if (!some) throw new Error('a volume is made after another');
    const made: VolumeView = { ...some, name, anonymous: false, labels: {}, usedBy: [], createdAtMs: Date.now() };
    this.#volumes.set([...this.#volumes.current, made]);
  }

  #refuseTaken(attempt: string, name: string): void {
    if (this.#volumes.current.some((volume) => volume.name === name)) {
      throw new AppError('conflict', `${attempt}: there is a volume named ${name} already`);
    }
  }
}
