/** All open terminals. They belong to the host: a window may come, go and be reloaded without ending any. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { CallInput } from '../contract/channels.ts';
import type { TerminalView } from '../contract/engine.ts';
import { AppError } from '../contract/errors.ts';
import { containerInspect, execCreated } from '../engine/api.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import { Demultiplexer } from '../engine/demultiplex.ts';
import { PublishedValue } from '../engine/published-value.ts';
import { execExitCode } from './exec-exit.ts';
import { Terminal, type TerminalRequest } from './terminal.ts';

const maxTerminals = 64;
const maxProbeBytes = 4096;

export class Terminals {
  readonly views = new PublishedValue<readonly TerminalView[]>([]);
  readonly #engine: EngineClient;
  readonly #terminals = new Map<string, Terminal>();

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Resolves once the command runs. */
  async open(input: CallInput<'terminals.open'>): Promise<{ id: string }> {
    if (this.#terminals.size >= maxTerminals) {
      const hint = 'Close some of them first.';
      throw new AppError('unavailable', `open a terminal: ${maxTerminals} are open already`, { hint });
    }
    const container = await this.#engine.json(
      { attempt: `open a terminal in ${input.containerId}`, path: `/containers/${segment(input.containerId)}/json` },
      containerInspect,
    );
    const containerName = container.Name.replace(/^\//, '');
    if (container.State.Status !== 'running') {
      const reason = `the container is ${container.State.Status}`;
      const hint = container.State.Status === 'paused' ? 'Resume it first.' : 'Start it first.';
      throw new AppError('conflict', `open a terminal in ${containerName}: ${reason}`, { hint });
    }
    const program = await this.#programOf(input, container.Id, containerName);
    const id = randomUUID();
    const terminal = await Terminal.open(
      this.#engine,
      { ...input, ...program, id, containerId: container.Id, containerName },
      () => this.#publish(),
    );
    this.#terminals.set(id, terminal);
    this.#publish();
    return { id };
  }

  get(id: string): Terminal {
    const terminal = this.#terminals.get(id);
    if (!terminal) throw new AppError('not-found', `terminal ${id}: it is closed`);
    return terminal;
  }

  /** Ends and forgets it; closing what is closed is no error. */
  close(id: string): void {
    this.#terminals.get(id)?.close();
    this.#terminals.delete(id);
    this.#publish();
  }

  closeAll(): void {
    for (const id of [...this.#terminals.keys()]) this.close(id);
  }

  #publish(): void {
    this.views.set([...this.#terminals.values()].map((terminal) => terminal.view));
  }

  async #programOf(
    { command, toolbox = false, user }: CallInput<'terminals.open'>,
    containerId: string,
    containerName: string,
  ): Promise<Pick<TerminalRequest, 'command' | 'toolbox' | 'preface'>> {
    if (command !== undefined) return { command, toolbox };
    if (toolbox) return { command: ['sh'], toolbox, preface: 'busybox of Wherry; nothing of it is in the container' };
    const shell = await this.#findShell(containerId, containerName, user);
    if (shell !== undefined) return { command: [shell] };
    return {
      ...{ command: ['sh'], toolbox: true },
      preface: 'the image has no shell: this is busybox of Wherry; nothing of it is in the container',
    };
  }

  /** The best shell the container has, by asking the plainest one it must have; undefined when it has none. */
  async #findShell(containerId: string, containerName: string, user: string | undefined): Promise<string | undefined> {
    for (const shell of ['sh', '/bin/sh', 'bash', '/busybox/sh']) {
      const script = 'command -v bash || command -v ash || command -v sh';
      const output = await this.#probe(containerId, containerName, [shell, '-c', script], user);
      if (output === undefined) continue;
      const found = output.split('\n')[0]?.trim();
      return found && path.posix.isAbsolute(found) ? found : shell;
    }
    return undefined;
  }

  /** What the command prints, or undefined when it cannot be run or fails. */
  async #probe(
    containerId: string,
    containerName: string,
    command: readonly string[],
    user: string | undefined,
  ): Promise<string | undefined> {
    const attempt = `open a terminal in ${containerName}`;
    const body = { AttachStdout: true, Cmd: command, ...(user ? { User: user } : {}) };
    const created = await this.#engine.json(
      { attempt, method: 'POST', path: `/containers/${segment(containerId)}/exec`, body },
      execCreated,
    );
    try {
      const output = await this.#runProbe(attempt, created.Id);
      return (await execExitCode(this.#engine, created.Id)) === 0 ? output : undefined;
    } catch (error) {
      // The engine refuses a command the image does not hold; anything about the container itself is the user's.
      if (error instanceof AppError && /not found|no such file|not executable|permission denied/i.test(error.message)) {
        if (!/no such (container|exec)/i.test(error.message)) return undefined;
      }
      throw error;
    }
  }

  async #runProbe(attempt: string, execId: string): Promise<string> {
    const socket = await this.#engine.hijack({
      attempt,
      method: 'POST',
      path: `/exec/${segment(execId)}/start`,
      body: { Detach: false, Tty: false },
      timeoutMs: 10_000,
    });
    const frames = new Demultiplexer();
    let output = '';
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        for (const { stream, data } of frames.push(chunk)) if (stream === 'stdout') output += data.toString('utf8');
        if (output.length > maxProbeBytes) break;
      }
    } finally {
      socket.destroy();
    }
    return output;
  }
}
