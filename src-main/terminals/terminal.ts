/** One terminal: an exec session with a pty in a container, owned by the host and watched by any number of windows. */
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Streams } from '../contract/channels.ts';
import type { TerminalView } from '../contract/engine.ts';
import { toErrorView } from '../contract/errors.ts';
import { execCreated } from '../engine/api.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import { execExitCode } from './exec-exit.ts';
import { Scrollback } from './scrollback.ts';

const scrollbackLimit = 256 * 1024;
/** Text a window may lag behind before the program in the container is made to wait. */
const windowBacklogLimit = 512 * 1024;
/** What the pty may buffer of input when the program does not read. */
const maxInputBacklogBytes = 4 * 1024 * 1024;

type Item = Streams['terminals.attach']['item'];

/** A window's place in the output. */
interface Viewer {
  pending: string;
  wake: () => void;
}

export interface TerminalRequest {
  readonly id: string;
  readonly containerId: string;
  readonly containerName: string;
  readonly command: readonly string[];
  readonly user?: string | undefined;
  readonly toolbox?: boolean | undefined;
  /** What is said before the program's own output. */
  readonly preface?: string | undefined;
  readonly columns: number;
  readonly rows: number;
}

export class Terminal {
  readonly #engine: EngineClient;
  readonly #onChange: () => void;
  readonly #scrollback = new Scrollback(scrollbackLimit);
  readonly #viewers = new Set<Viewer>();
  readonly #execId: string;
  readonly #socket: Duplex;
  /** The last size asked for; resizes are sent one at a time, the newest last. */
  #wantedSize: { columns: number; rows: number } | undefined;
  #resizing = false;
  #view: TerminalView;
  #titleTail = '';

  /** Starts the command; rejects when the engine does not. */
  static async open(engine: EngineClient, request: TerminalRequest, onChange: () => void): Promise<Terminal> {
    const attempt = `open a terminal in ${request.containerName}`;
    const { Id: execId } = await engine.json(
      {
        attempt,
        method: 'POST',
        path: `/containers/${segment(request.containerId)}/exec`,
        body: {
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
          Tty: true,
          Cmd: request.command,
          Env: ['TERM=xterm-256color'],
          ConsoleSize: [request.rows, request.columns],
          ...(request.user ? { User: request.user } : {}),
          ...(request.toolbox === true ? { WherryToolbox: true } : {}),
        },
      },
      execCreated,
    );
    const socket = await engine.hijack({
      attempt,
      method: 'POST',
      path: `/exec/${segment(execId)}/start`,
      body: { Detach: false, Tty: true, ConsoleSize: [request.rows, request.columns] },
    });
    return new Terminal(engine, request, execId, socket, onChange);
  }

  private constructor(
    engine: EngineClient,
    request: TerminalRequest,
    execId: string,
    socket: Duplex,
    onChange: () => void,
  ) {
    this.#engine = engine;
    this.#execId = execId;
    this.#socket = socket;
    this.#onChange = onChange;
    const command = request.command.join(' ');
    this.#view = {
      id: request.id,
      containerId: request.containerId,
      containerName: request.containerName,
      command,
      title: command,
      state: 'open',
    };
    if (request.preface !== undefined) this.#emit(`[${request.preface}]\r\n`);
    this.#read();
    // Engines that take no size at the start get it here.
    this.resize(request.columns, request.rows);
  }

  get view(): TerminalView {
    return this.#view;
  }

  write(text: string): void {
    if (this.#view.state === 'open' && this.#socket.writableLength < maxInputBacklogBytes) this.#socket.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#wantedSize = { columns, rows };
    void this.#sendSize();
  }

  /** Ends the session: the program sees its terminal hang up. */
  close(): void {
    this.#socket.destroy();
  }

  /** The kept output, then everything new, then the end. */
  async *watch(signal: AbortSignal): AsyncGenerator<Item, void, undefined> {
    const viewer: Viewer = { pending: this.#scrollback.text, wake: () => undefined };
    const wake = () => viewer.wake();
    this.#viewers.add(viewer);
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const data = viewer.pending;
        viewer.pending = '';
        this.#holdBack();
        if (data !== '') yield { data };
        else if (this.#view.state === 'ended') {
          yield { ended: true, exitCode: this.#view.exitCode ?? -1 };
          return;
        } else await new Promise<void>((resolve) => (viewer.wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#viewers.delete(viewer);
      this.#holdBack();
    }
  }

  #read(): void {
    const decoder = new StringDecoder('utf8');
    let failure: unknown;
    this.#socket.on('data', (chunk: Buffer) => this.#emit(decoder.write(chunk)));
    this.#socket.on('error', (error) => (failure = error));
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.once('close', () => {
      this.#emit(decoder.end());
      void this.#finish(failure);
    });
  }

  #emit(text: string): void {
    if (text === '') return;
    this.#scrollback.append(text);
    for (const viewer of this.#viewers) {
      viewer.pending += text;
      viewer.wake();
    }
    this.#holdBack();
    this.#findTitle(text);
  }

  /** As with any terminal, a program that writes faster than it is shown waits; with nobody looking it runs freely. */
  #holdBack(): void {
    const behind = [...this.#viewers].some((viewer) => viewer.pending.length > windowBacklogLimit);
    if (behind) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** OSC 0 and 2 set the title (xterm control sequences). */
  #findTitle(text: string): void {
    const searched = this.#titleTail + text;
    // eslint-disable-next-line no-control-regex -- the sequence is made of control characters
    const match = [...searched.matchAll(/\u001b\][02];([^\u0007\u001b]{0,256})(?:\u0007|\u001b\\)/g)].at(-1);
    this.#titleTail = searched.slice(-300);
    const title = match?.[1]?.trim();
    if (title && title !== this.#view.title) this.#change({ ...this.#view, title });
  }

  async #finish(failure: unknown): Promise<void> {
    // When the container or the VM is gone, so is the session: no exit code to be had.
    const exitCode = await execExitCode(this.#engine, this.#execId).catch(() => undefined);
    if (failure !== undefined && exitCode === undefined) {
      this.#emit(`\r\n[the terminal was lost: ${toErrorView(failure).message}]\r\n`);
    }
    this.#change({ ...this.#view, state: 'ended', exitCode: exitCode ?? -1 });
    for (const viewer of this.#viewers) viewer.wake();
  }

  async #sendSize(): Promise<void> {
    if (this.#resizing) return;
    this.#resizing = true;
    try {
      for (let size = this.#wantedSize; size; size = this.#wantedSize) {
        this.#wantedSize = undefined;
        if (this.#view.state === 'ended') return;
        await this.#engine.send({
          attempt: 'resize the terminal',
          method: 'POST',
          path: `/exec/${segment(this.#execId)}/resize`,
          query: { h: size.rows, w: size.columns },
        });
      }
    } catch {
      // A session that has just ended cannot be resized; a lost link ends the session by itself.
    } finally {
      this.#resizing = false;
    }
  }

  #change(view: TerminalView): void {
    this.#view = view;
    this.#onChange();
  }
}
