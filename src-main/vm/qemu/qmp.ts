/** QEMU's monitor protocol: JSON objects, one a line. Facts: docs/interop/qmp-spec of QEMU. */
import { EventEmitter } from 'node:events';
import net from 'node:net';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { raceAbort, withDeadline } from '../../wait.ts';
import type { MonitorAddress } from './arguments.ts';

const commandDeadlineMs = 10_000;
const lineLimitBytes = 4 * 1024 * 1024;

const greetingSchema = z.object({
  QMP: z.object({ version: z.object({ qemu: z.object({ major: z.number(), minor: z.number(), micro: z.number() }) }) }),
});
const messageSchema = z.union([
  z.object({ return: z.unknown(), id: z.number() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.number().optional() }),
  z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).optional() }),
]);

export interface QmpEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One monitor connection. QEMU serves a single client at a time: the next waits until this one is closed. */
export class Qmp implements AsyncDisposable {
  /** `7.2.22` */
  readonly version: string;
  readonly #socket: net.Socket;
  readonly #events = new EventEmitter<{ event: [QmpEvent]; closed: [] }>();
  readonly #pending = new Map<number, PendingCommand>();
  #nextId = 1;
  #closed = false;

  private constructor(socket: net.Socket, lines: LineReader, version: string) {
    this.#socket = socket;
    this.version = version;
    lines.onLine = (line) => this.#receive(line);
    socket.on('close', () => this.#end());
  }

  /**
   * Connects, reads the greeting and negotiates capabilities.
   * @throws AppError `deadline` or `unavailable`.
   */
  static async connect(address: MonitorAddress, deadlineMs: number, signal?: AbortSignal): Promise<Qmp> {
    return withDeadline('connect to the monitor', deadlineMs, (inner) => Qmp.#open(address, inner), {
      signal,
      hint: 'Another Wherry process may hold the monitor: only one can.',
    });
  }

  static async #open(address: MonitorAddress, signal: AbortSignal): Promise<Qmp> {
    const socket = 'path' in address ? net.connect(address.path) : net.connect(address.port, '127.0.0.1');
    try {
      const lines = new LineReader(socket);
      const greeting = greetingSchema.parse(JSON.parse(await raceAbort(firstLine(socket, lines), signal)));
      const { major, minor, micro } = greeting.QMP.version.qemu;
      const qmp = new Qmp(socket, lines, `${major}.${minor}.${micro}`);
      await qmp.run('qmp_capabilities', {}, signal);
      return qmp;
    } catch (error) {
      socket.destroy();
      throw error instanceof AppError
        ? error
        : new AppError('unavailable', `connect to the monitor: ${(error as Error).message}`, { cause: error });
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#events.on('event', listener);
    return () => this.#events.off('event', listener);
  }

  /** Called once when the connection has ended; at once if it has already. */
  onClosed(listener: () => void): void {
    if (this.#closed) listener();
    else this.#events.once('closed', listener);
  }

  /** Runs a command and returns what it returned. @throws AppError `vm-failed` with QEMU's own words. */
  async run(command: string, args: Readonly<Record<string, unknown>> = {}, signal?: AbortSignal): Promise<unknown> {
    if (this.#closed) throw closedError(command);
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject });
    });
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    try {
      return await withDeadline(`monitor command ${command}`, commandDeadlineMs, (inner) => raceAbort(answer, inner), {
        signal,
      });
    } finally {
      this.#pending.delete(id);
    }
  }

  /** A command of the human monitor, for what QMP has no word for. Returns its text; empty usually means done. */
  async human(commandLine: string, signal?: AbortSignal): Promise<string> {
    const text = await this.run('human-monitor-command', { 'command-line': commandLine }, signal);
    return z.string().parse(text);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    this.#socket.destroy();
    return Promise.resolve();
  }

  #receive(line: string): void {
    const parsed = messageSchema.safeParse(parseJson(line));
    if (!parsed.success) {
      this.#socket.destroy(new Error('the monitor sent something that is not QMP'));
      return;
    }
    const message = parsed.data;
    if ('event' in message) {
      this.#events.emit('event', { name: message.event, data: message.data ?? {} });
      return;
    }
    const pending = message.id === undefined ? undefined : this.#pending.get(message.id);
    if (pending === undefined) return;
    if ('error' in message) pending.reject(new AppError('vm-failed', `${pending.command}: ${message.error.desc}`));
    else pending.resolve(message.return);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pending of this.#pending.values()) pending.reject(closedError(pending.command));
    this.#pending.clear();
    this.#events.emit('closed');
  }
}

interface PendingCommand {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Splits a socket's bytes into lines; a line without end is cut off by destroying the socket. */
class LineReader {
  onLine: (line: string) => void = () => undefined;
  #rest = '';

  constructor(socket: net.Socket) {
    socket.setEncoding('utf8');
    // Its failure shows as 'close', which every user watches.
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      if (this.#rest.length > lineLimitBytes) socket.destroy();
      for (const line of lines) if (line.trim() !== '') this.onLine(line);
    });
  }
}

async function firstLine(socket: net.Socket, lines: LineReader): Promise<string> {
  return new Promise((resolve, reject) => {
    lines.onLine = resolve;
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('closed before its greeting'));
    });
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The schema refuses undefined; the caller closes the connection.
    return undefined;
  }
}

function closedError(command: string): AppError {
  return new AppError('vm-failed', `monitor command ${command}: the connection to the VM's monitor is closed`, {
    hint: 'The VM has ended; start it again.',
  });
}
