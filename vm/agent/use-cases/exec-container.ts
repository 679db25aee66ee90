/** Runs another program in a running container. */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { EngineError } from '../../contract/errors.ts';
import { log } from '../log.ts';
import { LaunchError } from '../runtime/runtime.ts';
import type { RunningContainer, RunningExec } from '../runtime/runtime.ts';
import { isRunning } from '../state/container-record.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { buildProcess } from './container-spec.ts';
import { lookUpUser, readUserFiles } from './container-user.ts';
import { DetachKeys } from './detach-keys.ts';
import type { ExecConfig, ExecSession } from './exec-store.ts';
import { endClient, joinStreams } from './join-streams.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';

/** The guest's own, which needs nothing of the container: its shell finds its commands in itself. */
const toolboxProgram = '/usr/bin/busybox';

/** Docker's stream id in a frame's header. */
const stdoutStream = 1;

/** Returns the new exec's id. Throws `conflict` when the container does not run or is paused. */
export function createExec(parts: Parts, reference: string, config: ExecConfig): string {
  const record = parts.store.find(reference);
  runningOf(parts, record);
  if (config.command.length === 0) throw new EngineError('invalid-parameter', 'No exec command specified');
  if (config.detachKeys !== '') new DetachKeys(config.detachKeys);
  const session: ExecSession = {
    id: randomBytes(32).toString('hex'),
    containerId: record.id,
    config,
    status: 'created',
    exitCode: undefined,
    running: undefined,
  };
  parts.execs.add(session);
  publishContainerEvent(parts, record, `exec_create: ${config.command.join(' ')}`, { execID: session.id });
  return session.id;
}

/** Throws before anything is started, so that the error can still be an HTTP status. */
export function prepareExec(parts: Parts, id: string): ExecSession {
  const session = parts.execs.find(id);
  const record = parts.store.find(session.containerId);
  runningOf(parts, record);
  if (session.status !== 'created') {
    throw new EngineError('conflict', `Error: Exec command ${id} has already run`);
  }
  return session;
}

/**
 * Starts it. With `takeClient` the connection is taken over first and joined when the program runs; the promise then resolves
 * when the connection is over. Without, it resolves when the program has been started.
 *
 * First, because a client may read the headers through a buffer of its own and lose what comes with them (docker-py does).
 */
export async function startExec(
  parts: Parts,
  session: ExecSession,
  takeClient: (() => Promise<Duplex>) | undefined,
): Promise<void> {
  if (takeClient === undefined) {
    const { exec } = await runExec(parts, session);
    // Nobody reads; the program must not block on a full pipe.
    exec.stream.on('error', () => undefined);
    exec.stream.resume();
    return;
  }
  const { config } = session;
  session.status = 'running';
  const client = await takeClient().catch((error: unknown) => {
    session.status = 'ended';
    throw error;
  });
  let started: StartedExec;
  try {
    started = await runExec(parts, session);
  } catch (failure) {
    tellClient(client, failure instanceof Error ? failure.message : String(failure), config.tty);
    return;
  }
  const { exec, ended } = started;
  const detachKeys = config.tty || config.detachKeys !== '' ? new DetachKeys(config.detachKeys) : undefined;
  await joinExec(client, exec, ended, { stdin: config.attachStdin, detachKeys });
}

export interface StartedExec {
  /** Its stream waits to be read. */
  readonly exec: RunningExec;
  /** Resolves when the exit code is in the session. */
  readonly ended: Promise<void>;
}

/** Starts the program of a session that has not run, for a caller who reads its stream. */
export async function runExec(parts: Parts, session: ExecSession): Promise<StartedExec> {
  const record = parts.store.find(session.containerId);
  const running = runningOf(parts, record);
  // Set before anything is awaited: an exec runs once.
  session.status = 'running';
  let exec: RunningExec;
  try {
    exec = await launch(record, running, session);
  } catch (error) {
    session.status = 'ended';
    session.exitCode = error instanceof LaunchError && error.kind === 'not-found' ? 127 : 126;
    throw describeExecFailure(error);
  }
  session.running = exec;
  const command = session.config.command.join(' ');
  publishContainerEvent(parts, record, `exec_start: ${command}`, { execID: session.id });
  const ended = exec.exited.then((exitCode) => {
    session.exitCode = exitCode;
    session.status = 'ended';
    session.running = undefined;
    publishContainerEvent(parts, record, 'exec_die', { execID: session.id, exitCode: String(exitCode) });
  });
  ended.catch((error: unknown) => log.warn(`the end of exec ${session.id}`, error));
  return { exec, ended };
}

/** As Docker does: an attached client reads the reason as output, and 126 or 127 from the exec's state. */
function tellClient(client: Duplex, message: string, tty: boolean): void {
  const text = Buffer.from(`${message}\r\n`);
  const header = Buffer.from([stdoutStream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(text.length, 4);
  endClient(client, tty ? text : Buffer.concat([header, text]));
}

/** Docker's clients ask for the exit code right after the stream's end, so that must already be known then. */
async function joinExec(
  client: Duplex,
  exec: RunningExec,
  ended: Promise<void>,
  options: { readonly stdin: boolean; readonly detachKeys: DetachKeys | undefined },
): Promise<void> {
  const end = client.end.bind(client);
  client.end = ((...values: Parameters<typeof end>) => {
    void ended.then(() => end(...values));
    return client;
  }) as typeof client.end;
  await joinStreams(client, exec.stream, options);
}

export async function resizeExec(parts: Parts, id: string, size: { columns: number; rows: number }): Promise<void> {
  const session = parts.execs.find(id);
  if (session.running === undefined) throw new EngineError('conflict', `exec ${id} is not running`);
  await session.running.resize(size);
}

/** The body of `GET /exec/:id/json`. */
export function inspectExec(parts: Parts, id: string): object {
  const { config, containerId, status, exitCode, running } = parts.execs.find(id);
  const [entrypoint = '', ...args] = config.command;
  return {
    ID: id,
    Running: status === 'running',
    ExitCode: exitCode ?? null,
    ProcessConfig: {
      tty: config.tty,
      entrypoint,
      arguments: args,
      privileged: config.privileged,
      ...(config.user === '' ? {} : { user: config.user }),
    },
    OpenStdin: config.attachStdin,
    OpenStderr: config.attachStderr,
    OpenStdout: config.attachStdout,
    CanRemove: status === 'ended',
    ContainerID: containerId,
    DetachKeys: Buffer.from(config.detachKeys).toString('base64'),
    Pid: running?.pid ?? 0,
  };
}

function runningOf(parts: Parts, record: ContainerRecord): RunningContainer {
  const { running } = parts.live.of(record.id);
  if (!isRunning(record) || running === undefined) {
    throw new EngineError('conflict', `container ${record.id} is not running`);
  }
  if (record.state.status === 'paused') {
    throw new EngineError('conflict', `Container ${record.name} is paused, unpause the container before exec`);
  }
  return running;
}

async function launch(record: ContainerRecord, running: RunningContainer, session: ExecSession): Promise<RunningExec> {
  const { config } = session;
  if (config.workingDir !== '' && !config.workingDir.startsWith('/')) {
    throw new EngineError('invalid-parameter', 'OCI runtime exec failed: exec failed: Cwd must be an absolute path');
  }
  const files = await readUserFiles([`/proc/${running.pid}/root`]);
  const user = lookUpUser(
    files.passwd,
    files.group,
    config.user === '' ? record.config.User : config.user,
    record.hostConfig.GroupAdd ?? [],
  );
  return running.exec(
    {
      execId: session.id,
      attachStdin: config.attachStdin,
      ...(config.toolbox ? { guestProgram: toolboxProgram } : {}),
      process: buildProcess({
        args: config.command,
        env: [...record.config.Env, ...config.env],
        cwd: config.workingDir === '' ? record.config.WorkingDir : config.workingDir,
        tty: config.tty,
        consoleSize: config.consoleSize,
        hostname: record.config.Hostname,
        user,
        hostConfig: record.hostConfig,
        privileged: config.privileged || record.hostConfig.Privileged,
      }),
    },
    AbortSignal.timeout(60_000),
  );
}

function describeExecFailure(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof LaunchError && error.kind !== 'setup' ? 'invalid-parameter' : 'system';
  return new EngineError(code, `OCI runtime exec failed: exec failed: unable to start container process: ${text}`, {
    cause: error,
  });
}
