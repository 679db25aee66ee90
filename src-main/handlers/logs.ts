/** A container's log as batches of lines: from the tail on, across restarts of the container, the agent and the link. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Streams } from '../contract/channels.ts';
import type { LogLine } from '../contract/engine.ts';
import { AppError } from '../contract/errors.ts';
import { containerInspect } from '../engine/api.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import { Demultiplexer } from '../engine/demultiplex.ts';
import type { EngineFeed } from '../engine/events.ts';
import { LogCursor, LogLineSplitter, toEngineTime } from '../engine/log-lines.ts';
import type { StreamHandler } from './handlers.ts';

type Input = Streams['logs.follow']['input'];
type Batch = Streams['logs.follow']['item'];

/** Of a log that is followed, at most 30 a second. */
const batchPauseMs = 33;
const maxBatchLines = 2000;
const maxBatchLength = 256 * 1024;
const retryDelaysMs = [100, 250, 500, 1000, 2000, 2000, 2000, 5000, 5000, 5000, 5000];
const asleepPauseMs = 500;

export class LogHandlers {
  readonly #engine: EngineClient;
  readonly #feed: EngineFeed;

  constructor(engine: EngineClient, feed: EngineFeed) {
    this.#engine = engine;
    this.#feed = feed;
  }

  readonly follow: StreamHandler<'logs.follow'> = (input, { signal }) =>
    batches((batchSignal) => this.#lines(input, batchSignal), input.follow ? batchPauseMs : 0, signal);

  /** Ends when the container is removed, or, without `follow`, at the end of what there is. */
  async *#lines(input: Input, signal: AbortSignal): AsyncGenerator<LogLine, void, undefined> {
    const cursor = new LogCursor();
    let failures = 0;
    for (;;) {
      const started = this.#nextStart(input.containerId, signal);
      try {
        for await (const line of this.#readOnce(input, cursor, signal)) {
          failures = 0;
          if (cursor.fresh(line)) yield line;
        }
        if (!input.follow || !(await started.wait())) return;
      } catch (error) {
        if (signal.aborted || !(error instanceof AppError) || !retryable.includes(error.code)) throw error;
        // A VM that sleeps comes back with the container as it was, however long that takes.
        const asleep = this.#feed.isAsleep;
        const pauseMs = asleep ? asleepPauseMs : retryDelaysMs[failures];
        if (!asleep) failures += 1;
        if (pauseMs === undefined || !input.follow) throw error;
        await delay(pauseMs, undefined, { signal });
      } finally {
        started.stop();
      }
      cursor.reopen();
    }
  }

  async *#readOnce(input: Input, cursor: LogCursor, signal: AbortSignal): AsyncGenerator<LogLine, void, undefined> {
    const attempt = 'read the log';
    const path = `/containers/${segment(input.containerId)}`;
    const { Config } = await this.#engine.json({ attempt, path: `${path}/json`, signal }, containerInspect);
    const since = cursor.position ?? input.since;
    const response = await this.#engine.stream({
      attempt,
      path: `${path}/logs`,
      query: {
        stdout: true,
        stderr: true,
        timestamps: true,
        follow: input.follow,
        tail: cursor.position === undefined ? input.tail : 'all',
        since: since === undefined ? undefined : toEngineTime(since),
        until: input.until === undefined ? undefined : toEngineTime(input.until),
      },
      signal,
    });
    const frames = new Demultiplexer();
    const lines = new LogLineSplitter();
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const pieces = Config.Tty ? [{ stream: 'stdout' as const, data: chunk }] : frames.push(chunk);
        for (const piece of pieces) yield* lines.push(piece);
      }
      yield* lines.end();
    } catch (error) {
      throw error instanceof AppError
        ? error
        : new AppError('link-lost', `${attempt}: the connection was lost`, { cause: error });
    } finally {
      response.destroy();
    }
  }

  /** Listens for the container's next start (true) or removal (false), from before its log is read on. */
  #nextStart(id: string, signal: AbortSignal): { wait(): Promise<boolean>; stop(): void } {
    let settle: (value: boolean) => void = () => undefined;
    const next = new Promise<boolean>((resolve) => (settle = resolve));
    let sawEnd = false;
    const stop = this.#feed.onEvent((event) => {
      if (event.type !== 'container' || !event.actorId.startsWith(id)) return;
      if (event.action === 'die') sawEnd = true;
      if (event.action === 'destroy') settle(false);
      if (event.action === 'start' && sawEnd) settle(true);
    });
    const abort = () => settle(false);
    signal.addEventListener('abort', abort);
    return {
      wait: () => {
        // The log of a stopped container ends at once: any later start is the next one.
        sawEnd = true;
        return next;
      },
      stop: () => {
        stop();
        signal.removeEventListener('abort', abort);
      },
    };
  }
}

const retryable: readonly string[] = ['link-lost', 'unavailable', 'vm-absent', 'deadline'];

/** Gathers lines into batches: what comes within one pause of the last batch goes together. */
async function* batches(
  open: (signal: AbortSignal) => AsyncIterable<LogLine>,
  pauseMs: number,
  outer: AbortSignal,
): AsyncGenerator<Batch, void, undefined> {
  const own = new AbortController();
  const signal = AbortSignal.any([own.signal, outer]);
  let waiting: LogLine[] = [];
  let length = 0;
  let end: { readonly error?: Error } | undefined;
  let wakeReader: () => void = () => undefined;
  let wakeSource: () => void = () => undefined;
  const isFull = () => waiting.length >= maxBatchLines || length >= maxBatchLength;
  const wake = () => {
    wakeReader();
    wakeSource();
  };
  signal.addEventListener('abort', wake);

  const reading = (async () => {
    for await (const line of open(signal)) {
      waiting.push(line);
      length += line.text.length;
      wakeReader();
      while (isFull() && !signal.aborted) await new Promise<void>((resolve) => (wakeSource = resolve));
      if (signal.aborted) return;
    }
  })().then(
    () => (end = {}),
    (error: unknown) => (end = { error: error instanceof Error ? error : new Error(String(error)) }),
  );
  void reading.then(() => wakeReader());

  try {
    while (!signal.aborted) {
      if (waiting.length > 0) {
        const lines = waiting;
        waiting = [];
        length = 0;
        wakeSource();
        yield { lines };
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      } else if (end !== undefined) {
        if (end.error !== undefined) throw end.error;
        return;
      } else {
        await new Promise<void>((resolve) => (wakeReader = resolve));
      }
    }
  } finally {
    own.abort();
    signal.removeEventListener('abort', wake);
    await reading;
  }
}
