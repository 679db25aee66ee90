/** Connections to a monitor (or to the spawner, which becomes one): requests with answers, events, and raw streams. */
import { once } from 'node:events';
import net from 'node:net';
import { answerTags, requestTags } from './plan-tags.ts';
import { decodeRecord, encodeRecord, type MonitorRecord } from './records.ts';
import { LaunchError } from './runtime.ts';

const failureKinds = ['setup', 'not-found', 'not-executable'] as const;

/** Connects to a unix socket; the stream may be half-closed. */
export async function connectUnix(socketPath: string, signal?: AbortSignal): Promise<net.Socket> {
  const socket = net.connect({ path: socketPath, allowHalfOpen: true });
  try {
    await once(socket, 'connect', { ...(signal && { signal }) });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

export interface MonitorEvents {
  exited(exitCode: number, oomKilled: boolean, finishedAt: string): void;
  execExited(execId: string, exitCode: number): void;
  /** The connection ended, whether or not the container has. */
  closed(): void;
}

/** A connection that carries requests. Its owner closes it. */
export class MonitorConnection {
  readonly #socket: net.Socket;
  readonly #events: MonitorEvents;
  readonly #waiting = new Map<number, { resolve: (record: MonitorRecord) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: net.Socket, events: MonitorEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('error', () => undefined); /* 'close' follows */
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new LaunchError('setup', 'the monitor is gone'));
      this.#waiting.clear();
      events.closed();
    });
  }

  /** Sends a request; rejects with {@link LaunchError} when the monitor says it failed or is gone. */
  request(
    tag: number,
    numbers: readonly number[] = [],
    strings: readonly string[] = [],
    blob?: Buffer,
  ): Promise<MonitorRecord> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new LaunchError('setup', 'the monitor is gone'));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(encodeRecord(tag, [id, ...numbers], strings, blob));
    });
  }

  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    for (let next = decodeRecord(this.#received); next !== undefined; next = decodeRecord(this.#received)) {
      this.#received = this.#received.subarray(next.bytes);
      this.#handle(next.record);
    }
  }

  #handle(record: MonitorRecord): void {
    const [id = 0, first = 0, second = 0] = record.numbers;
    const [text = ''] = record.strings;
    if (record.tag === answerTags.exited) {
      this.#events.exited(first, second !== 0, text);
      return;
    }
    if (record.tag === answerTags.execExited) {
      this.#events.execExited(text, first);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (record.tag === answerTags.ok) waiting?.resolve(record);
    else waiting?.reject(launchError(record));
  }
}

/**
 * Opens a stream: connects, sends the request, and returns the socket once the monitor has agreed, with the answer.
 * Rejects with {@link LaunchError} when it has not.
 */
export async function openStream(
  socketPath: string,
  tag: typeof requestTags.attach | typeof requestTags.exec,
  numbers: readonly number[],
  blob: Buffer | undefined,
  signal?: AbortSignal,
): Promise<{ stream: net.Socket; answer: MonitorRecord }> {
  const stream = await connectUnix(socketPath, signal);
  try {
    stream.write(encodeRecord(tag, [0, ...numbers], [], blob));
    const answer = await readAnswer(stream, signal);
    if (answer.tag !== answerTags.ok) throw launchError(answer);
    return { stream, answer };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** Takes one record off the stream and leaves what follows in it. */
async function readAnswer(stream: net.Socket, signal?: AbortSignal): Promise<MonitorRecord> {
  let received: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) {
      if (stream.readableEnded || stream.destroyed) throw new LaunchError('setup', 'the monitor is gone');
      await readableOrEnded(stream, signal);
      continue;
    }
    received = Buffer.concat([received, chunk]);
    const next = decodeRecord(received);
    if (next === undefined) continue;
    if (next.bytes < received.length) stream.unshift(received.subarray(next.bytes));
    return next.record;
  }
}

function readableOrEnded(stream: net.Socket, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      stream.off('readable', onReadable).off('end', onReadable).off('close', onReadable).off('error', done);
      signal?.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    };
    const onReadable = () => done();
    const onAbort = () => done(new LaunchError('setup', 'cancelled', { cause: signal?.reason }));
    stream.on('readable', onReadable).on('end', onReadable).on('close', onReadable).on('error', done);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
  });
}

function launchError(record: MonitorRecord): LaunchError {
  const kind = failureKinds[record.numbers[1] ?? 0] ?? 'setup';
  return new LaunchError(kind, record.strings[0] ?? 'the monitor gave no reason');
}
