/** Reaches the process that owns the home; starts one in the background when there is none. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { homeHolder } from '../acquire.ts';
import { AppError } from '../contract/errors.ts';
import { createWireClient, type WireClient } from '../contract/wire-client.ts';
import { readIfThere } from '../durable-file.ts';
import type { HostAccess } from '../host-access.ts';
import { delay } from '../wait.ts';
import { exitCodes } from './command.ts';
import { accessTo, type CliContext } from './context.ts';

const ownerDeadlineMs = 30_000;
const pauseMs = 100;

export interface OwnerConnection extends AsyncDisposable {
  readonly client: WireClient;
}

/** The owner there is, or undefined when no process owns the home. */
export async function connectToOwner(context: CliContext): Promise<OwnerConnection | undefined> {
  const deadline = Date.now() + ownerDeadlineMs;
  // Between taking the lock and listening an owner cannot be reached yet; after its death its lock is stale.
  while ((await homeHolder(context.paths.lock)) !== undefined) {
    const connection = await tryConnect(context);
    if (connection !== undefined) return connection;
    if (Date.now() > deadline) throw stuckOwner(context);
    await delay(pauseMs, context.signal);
  }
  return undefined;
}

/** The owner there is, or a fresh one in the background. */
export async function connectOrSpawnOwner(context: CliContext): Promise<OwnerConnection> {
  const deadline = Date.now() + ownerDeadlineMs;
  let background: Background | undefined;
  for (;;) {
    const connection = await tryConnect(context);
    if (connection !== undefined) return connection;
    const holder = await homeHolder(context.paths.lock);
    if (holder === undefined) {
      if (background?.endedWith !== undefined && background.endedWith !== exitCodes.held) {
        throw await failedOwner(background.logFile);
      }
      if (background === undefined || background.endedWith !== undefined) background = await spawnBackground(context);
    }
    if (Date.now() > deadline) throw stuckOwner(context);
    await delay(pauseMs, context.signal);
  }
}

/** A client over an access that may make this process the owner. Disposing gives the home up again. */
export async function connectThrough(access: HostAccess, signal: AbortSignal): Promise<OwnerConnection> {
  const client = createWireClient(await access.connect(signal));
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await access[Symbol.asyncDispose]();
    },
  };
}

async function tryConnect(context: CliContext): Promise<OwnerConnection | undefined> {
  const access = await accessTo(context, { role: 'shell', mayOwn: false });
  try {
    return await connectThrough(access, context.signal);
  } catch (error) {
    await access[Symbol.asyncDispose]();
    context.signal.throwIfAborted();
    if (error instanceof AppError && error.code === 'unavailable') return undefined;
    throw error;
  }
}

interface Background {
  readonly logFile: string;
  /** Its exit code once it has ended. */
  endedWith: number | undefined;
}

/** Detached, in its own session: it outlives this terminal. */
async function spawnBackground(context: CliContext): Promise<Background> {
  const logFile = path.join(context.paths.logs, 'host.log');
  const [program = process.execPath, ...args] = context.self;
  const log = await open(logFile, 'w', 0o600);
  try {
    const child = spawn(program, [...args, 'host'], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: { ...context.env, WHERRY_HOME: context.paths.root },
      // Not the caller's folder, which it would hold for ever; but node's own options may be relative to that.
      cwd: context.self.length > 2 ? process.cwd() : context.paths.root,
      windowsHide: true,
    });
    const background: Background = { logFile, endedWith: undefined };
    child.on('exit', (code) => (background.endedWith = code ?? exitCodes.failed));
    child.on('error', () => (background.endedWith = exitCodes.failed));
    child.unref();
    return background;
  } finally {
    await log.close();
  }
}

async function failedOwner(logFile: string): Promise<AppError> {
  const said = ((await readIfThere(logFile)) ?? '').trim().split('\n').slice(-4).join('\n');
  return new AppError(
    'unavailable',
    `start Wherry in the background: ${said === '' ? 'it ended without a word' : said}`,
    {
      hint: `Its whole output is in ${logFile}.`,
    },
  );
}

function stuckOwner(context: CliContext): AppError {
  return new AppError(
    'unavailable',
    `connect to ${context.paths.hostSocket}: the process that holds this home does not answer`,
    {
      hint: `Its process id is in ${context.paths.lock}; end it and try again.`,
    },
  );
}
