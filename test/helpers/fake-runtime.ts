/** A container runtime in memory: processes that do what the test says. */
import { PassThrough, duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import type {
  AttachOptions,
  ContainerRuntime,
  ExecRequest,
  ExitRecord,
  LaunchRequest,
  RunningContainer,
  RunningExec,
} from '../../vm/agent/runtime/runtime.ts';

export class FakeContainer implements RunningContainer {
  readonly id: string;
  readonly tty: boolean;
  readonly pid: number;
  readonly request: LaunchRequest | undefined;
  readonly signals: number[] = [];
  readonly exited: Promise<ExitRecord>;
  /** The ends that "the process" reads and writes. */
  readonly streams: Duplex[] = [];
  /** In the order of their start. */
  readonly execs: FakeExec[] = [];
  execFailure: Error | undefined;
  /** Called with each new exec before it is handed out. */
  onExec: (exec: FakeExec) => void = () => undefined;
  started = false;
  frozen = false;
  detached = false;
  /** Thrown by `go`. */
  goFailure: Error | undefined;
  /** Signals that end it; others are only noted. */
  endsOn: readonly number[] = [9, 15];
  private settle: (exit: ExitRecord) => void = () => undefined;

  constructor(id: string, pid: number, request: LaunchRequest | undefined) {
    this.id = id;
    this.pid = pid;
    this.request = request;
    this.tty = request?.config.process.terminal ?? false;
    this.exited = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  finish(exit: Partial<ExitRecord> = {}): void {
    for (const stream of this.streams) stream.end();
    this.settle({ exitCode: 0, oomKilled: false, finishedAt: new Date().toISOString(), ...exit });
  }

  go(): Promise<void> {
    if (this.goFailure !== undefined) return Promise.reject(this.goFailure);
    this.started = true;
    return Promise.resolve();
  }

  attach(_options: AttachOptions): Promise<Duplex> {
    const [ours, theirs] = duplexPair();
    this.streams.push(ours);
    return Promise.resolve(theirs);
  }

  resize(): Promise<void> {
    return Promise.resolve();
  }

  kill(signal: number): Promise<void> {
    this.signals.push(signal);
    if (this.endsOn.includes(signal)) this.finish({ exitCode: 128 + signal });
    return Promise.resolve();
  }

  pause(): Promise<void> {
    this.frozen = true;
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.frozen = false;
    return Promise.resolve();
  }

  exec(request: ExecRequest): Promise<RunningExec> {
    if (this.execFailure !== undefined) return Promise.reject(this.execFailure);
    const exec = new FakeExec(this.pid + 1000, request);
    this.execs.push(exec);
    this.onExec(exec);
    return Promise.resolve(exec);
  }

  pids(): Promise<readonly number[]> {
    return Promise.resolve([this.pid]);
  }

  detach(): void {
    this.detached = true;
  }
}

export class FakeExec implements RunningExec {
  readonly pid: number;
  readonly tty: boolean;
  readonly request: ExecRequest;
  readonly stream = new PassThrough();
  readonly signals: number[] = [];
  readonly exited: Promise<number>;
  private settle: (exitCode: number) => void = () => undefined;

  constructor(pid: number, request: ExecRequest) {
    this.pid = pid;
    this.tty = request.process.terminal;
    this.request = request;
    this.exited = new Promise((resolve) => {
      this.settle = resolve;
      this.stream.on('end', () => resolve(0));
    });
  }

  /** Prints to its standard output, in a frame, and ends. */
  finish(exitCode: number, output = ''): void {
    this.print(output);
    this.settle(exitCode);
    this.stream.end();
  }

  print(output: string): void {
    const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(Buffer.byteLength(output), 4);
    if (output !== '') this.stream.write(Buffer.concat([header, Buffer.from(output)]));
  }

  kill(signal: number): void {
    this.signals.push(signal);
    this.finish(128 + signal);
  }

  resize(): Promise<void> {
    return Promise.resolve();
  }
}

export class FakeRuntime implements ContainerRuntime {
  /** In the order of their creation. */
  readonly created: FakeContainer[] = [];
  /** What `reattach` finds, by container. */
  readonly alive = new Map<string, FakeContainer>();
  readonly exitRecords = new Map<string, ExitRecord>();
  /** Called with each new container before it is handed out. */
  prepare: (container: FakeContainer) => void = () => undefined;
  private nextPid = 100;

  create(request: LaunchRequest): Promise<RunningContainer> {
    const container = new FakeContainer(request.id, this.nextPid, request);
    this.nextPid += 1;
    this.created.push(container);
    this.prepare(container);
    return Promise.resolve(container);
  }

  reattach({ id }: { id: string }): Promise<RunningContainer | undefined> {
    return Promise.resolve(this.alive.get(id));
  }

  readExitRecord(exitRecordPath: string): Promise<ExitRecord | undefined> {
    return Promise.resolve(this.exitRecords.get(exitRecordPath));
  }
}
