/** A container whose monitor is connected. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { listPids, setFrozen } from './cgroup.ts';
import { MonitorConnection, openStream } from './monitor-connection.ts';
import { compileExecPlan } from './plan.ts';
import { requestTags } from './plan-tags.ts';
import type { AttachOptions, ExecRequest, ExitRecord, RunningContainer, RunningExec } from './runtime.ts';

const wants = { stdin: 1, stdout: 2, stderr: 4, patience: 8 };
/** What an exec is told when the container's monitor goes before the exec's exit is known. */
const lostExecExitCode = 137;

export interface MonitoredContainerParts {
  readonly id: string;
  readonly tty: boolean;
  readonly socketPath: string;
  /** The cgroup's folder. */
  readonly cgroup: string;
  /** Connected to the monitor; owned by the container from now on. */
  readonly socket: Socket;
  /** What is known of the end when the connection ended without saying. */
  readonly lost: () => Promise<ExitRecord>;
}

export class MonitoredContainer implements RunningContainer {
  readonly id: string;
  readonly exited: Promise<ExitRecord>;
  readonly connection: MonitorConnection;
  pid = 0;
  tty: boolean;
  readonly #socketPath: string;
  readonly #cgroup: string;
  readonly #execs = new Map<string, (exitCode: number) => void>();
  #detached = false;
  #ended = false;

  constructor(parts: MonitoredContainerParts) {
    this.id = parts.id;
    this.tty = parts.tty;
    this.#socketPath = parts.socketPath;
    this.#cgroup = parts.cgroup;
    let settle: (record: ExitRecord | Promise<ExitRecord>) => void = () => undefined;
    this.exited = new Promise((resolve) => (settle = resolve));
    this.connection = new MonitorConnection(parts.socket, {
      exited: (exitCode, oomKilled, finishedAt) => {
        this.#ended = true;
        settle({ exitCode, oomKilled, finishedAt });
      },
      execExited: (execId, exitCode) => {
        this.#execs.get(execId)?.(exitCode);
        this.#execs.delete(execId);
      },
      closed: () => {
        for (const resolve of this.#execs.values()) resolve(lostExecExitCode);
        this.#execs.clear();
        if (!this.#detached && !this.#ended) settle(parts.lost());
      },
    });
  }

  async go(): Promise<void> {
    await this.connection.request(requestTags.go);
  }

  async attach(options: AttachOptions): Promise<Duplex> {
    const wanted =
      (options.stdin ? wants.stdin : 0) |
      (options.stdout ? wants.stdout : 0) |
      (options.stderr ? wants.stderr : 0) |
      (options.patient ? wants.patience : 0);
    const { stream } = await openStream(this.#socketPath, requestTags.attach, [wanted], undefined);
    return stream;
  }

  async resize(size: { columns: number; rows: number }): Promise<void> {
    await this.connection.request(requestTags.resize, [size.columns, size.rows], ['']);
  }

  async kill(signal: number): Promise<void> {
    await this.connection.request(requestTags.kill, [signal]).catch((error: unknown) => {
      // The monitor goes when the container has ended, and takes it along when it goes first: it is dead already.
      if (!this.connection.isGone) throw error;
    });
  }

  pause(): Promise<void> {
    return setFrozen(this.#cgroup, true);
  }

  resume(): Promise<void> {
    return setFrozen(this.#cgroup, false);
  }

  async exec(request: ExecRequest, signal: AbortSignal): Promise<RunningExec> {
    const exited = new Promise<number>((resolve) => this.#execs.set(request.execId, resolve));
    try {
      const plan = compileExecPlan(request);
      const { stream, answer } = await openStream(this.#socketPath, requestTags.exec, [], plan, signal);
      return {
        pid: answer.numbers[1] ?? 0,
        tty: request.process.terminal,
        stream,
        exited,
        resize: async ({ columns, rows }) => {
          await this.connection.request(requestTags.resize, [columns, rows], [request.execId]);
        },
        kill: (signal) => {
          if (this.#execs.has(request.execId)) signalGroup(answer.numbers[1] ?? 0, signal);
        },
      };
    } catch (error) {
      this.#execs.delete(request.execId);
      throw error;
    }
  }

  pids(): Promise<readonly number[]> {
    return listPids(this.#cgroup);
  }

  /** Before {@link go}, the monitor takes this as the end, and removes the container. */
  detach(): void {
    this.#detached = true;
    this.connection.close();
  }
}

/** The process leads its session, so its pid is its group's. One that ended just now is no error. */
function signalGroup(pid: number, signal: number): void {
  if (pid <= 1) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
