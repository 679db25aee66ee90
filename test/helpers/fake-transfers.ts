/** The fake host's pushes, saves, loads and builds: the product's own transfers, with an engine that is made up. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageView } from '../../src-main/contract/engine.ts';
import { AppError } from '../../src-main/contract/errors.ts';
import { parseBuildStep } from '../../src-main/contract/tasks.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import { download, upload } from '../../src-main/handlers/transfers.ts';
import type { TaskProgress, Tasks } from '../../src-main/tasks/tasks.ts';
import { emptyTotals, foldPull, progressOf } from '../../src-main/tasks/pull-progress.ts';
import { type Record, type Source } from './handlers.ts';
import { image } from './window-fixtures.ts';

type Streams = Pick<Handlers['streams'], 'images.save' | 'images.load' | 'images.build' | 'tasks.output'>;

export class FakeTransfers {
  /** Between two steps of any work. */
  stepMs = 15;
  /** The archives that came, by the name of their file or image. */
  readonly received = new Map<string, Buffer>();
  /** The build says this at its third step, and fails. */
  buildFailure = '';
  readonly push: Handlers['calls']['images.push'];
  readonly streams: Streams;
  readonly #images: Source<readonly ImageView[]>;

  constructor(tasks: Tasks, images: Source<readonly ImageView[]>, record: Record) {
    this.#images = images;
    this.push = ({ reference }) =>
      record('images.push', { reference }, () => ({
        taskId: tasks.join('push', reference, (report, signal) => this.#push(reference, report, signal)),
      }));
    this.streams = {
      'images.save': ({ references }, context) => {
        const [name = ''] = references;
        void record('images.save', { references }, () => undefined);
        const bytes = () => this.#archive(context.signal);
        return download(tasks, { kind: 'save-images', name, attempt: `save ${name}` }, context, () =>
          Promise.resolve({ bytes: bytes() }),
        );
      },
      'images.load': ({ name, sizeBytes }, context) =>
        upload(
          tasks,
          { kind: 'load-images', name, attempt: `load ${name}` },
          sizeBytes,
          context,
          async (bytes, report) => {
            const archive = await this.#receive(name, bytes);
            if (!archive.includes('manifest.json')) {
              throw new AppError('invalid-input', `load ${name}: there is no image in it`, {
                hint: 'An archive of images is made with Save, or with docker save.',
              });
            }
            this.#add('shop/loaded:1');
            report({ names: ['shop/loaded:1'] });
          },
        ),
      'images.build': (wanted, context) => {
        void record('images.build', wanted, () => undefined);
        const name = wanted.reference === '' ? 'an image without a name' : wanted.reference;
        return upload(
          tasks,
          { kind: 'build', name, attempt: `build ${name}` },
          wanted.sizeBytes,
          context,
          async (bytes, report, signal, print) => {
            await this.#receive(name, bytes);
            await this.#build(name, report, signal, print);
          },
        );
      },
      'tasks.output': ({ id }, { signal }) => tasks.output(id).follow(signal),
    };
  }

  async *#archive(signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    for (let part = 0; part < 20 && !signal.aborted; part += 1) {
      await sleep(this.stepMs);
      yield Buffer.alloc(100_000, part);
    }
  }

  async #receive(name: string, bytes: AsyncIterable<Buffer>): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of bytes) {
      pieces.push(piece);
      await sleep(this.stepMs);
    }
    const all = Buffer.concat(pieces);
    this.received.set(name, all);
    return all;
  }

  async #push(reference: string, report: (progress: TaskProgress) => void, signal: AbortSignal): Promise<number> {
    let totals = emptyTotals;
    const say = (layer: string, status: string, currentBytes = 0, totalBytes = 0) => {
      totals = foldPull(totals, [{ layer, status, currentBytes, totalBytes }], Date.now());
      report(progressOf(totals));
    };
    for (const layer of ['a0c9f3b7e1d0', 'b1c9f3b7e1d1']) say(layer, 'Preparing');
    if (reference.includes('denied')) {
      throw new AppError('engine', `push ${reference}: denied: requested access to the resource is denied`, {
        hint: 'The image may not exist, or its registry wants a login.',
      });
    }
    say('b1c9f3b7e1d1', 'Layer already exists');
    for (let step = 1; step <= 10; step += 1) {
      await sleep(this.stepMs, undefined, { signal });
      say('a0c9f3b7e1d0', 'Pushing', step * 4_000_000, 40_000_000);
    }
    say('a0c9f3b7e1d0', 'Pushed');
    say('', `1: digest: sha256:${'cd34'.repeat(16)} size: 1234`);
    return 40_000_000;
  }

  async #build(
    name: string,
    report: (progress: TaskProgress) => void,
    signal: AbortSignal,
    print: (text: string) => void,
  ): Promise<void> {
    const lines = [
      'Step 1/4 : FROM debian:trixie-slim',
      ' ---> 3b5e53ac2e4d',
      'Step 2/4 : COPY . /app',
      ' ---> Using cache',
      ' ---> 9f1a0e7c2b44',
      'Step 3/4 : RUN make -C /app && <b>echo done</b>',
      ' ---> Running in 0c2f1a7d9e55',
      'cc -O2 -o app main.c',
      '\u001b[32mok\u001b[0m \u202eesrever <img src=x onerror="window.hacked=1">',
      ' ---> 77aa12b3c4d5',
      'Step 4/4 : CMD ["/app/app"]',
      ' ---> 88bb23c4d5e6',
      `Successfully built 88bb23c4d5e6`,
    ];
    for (const line of lines) {
      await sleep(this.stepMs, undefined, { signal });
      const step = parseBuildStep(line);
      if (step) report({ step: line, fraction: (step.number - 1) / step.of });
      if (step?.number === 4 && this.buildFailure !== '')
        throw new AppError('engine', `build ${name}: ${this.buildFailure}`);
      print(`${line}\n`);
    }
    this.#add(name);
    report({ names: [name, `sha256:${'88bb'.repeat(16)}`] });
  }

  #add(tag: string): void {
    this.#images.set([
      image(Math.floor(Math.random() * 1e9), { tags: [tag], sizeBytes: 12_300_000 }),
      ...this.#images.current,
    ]);
  }
}
