/** The container runtime over monitors: compiles plans, has monitors spawned, finds those that live on. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { killAll } from './cgroup.ts';
import { connectUnix, type MonitorConnection } from './monitor-connection.ts';
import { compilePlan } from './plan.ts';
import { requestTags } from './plan-tags.ts';
import { MonitoredContainer } from './running-container.ts';
import { type ContainerRuntime, type ExitRecord, LaunchError, type OciSeccomp } from './runtime.ts';
import { Spawner } from './spawner.ts';

export interface MonitorRuntimePlaces {
  /** Folder of the guest's programs: `monitor`, `seccomp`. */
  readonly programs: string;
  /** Volatile folder, `/run/wherry`. */
  readonly runDir: string;
  /** Where cgroup v2 is mounted, `/sys/fs/cgroup`. */
  readonly cgroupRoot: string;
  /** Compiles a seccomp profile, or remembers having done so. */
  readonly compileSeccomp: (profile: OciSeccomp) => Promise<Buffer>;
  /** How long an attached client may take nothing while it lags. 15 s when not given. */
  readonly stallMs?: number;
}

export interface MonitorRuntime extends ContainerRuntime {
  /** Does ahead what the first start would have to wait for: the spawner, and the filter of the usual profile. */
  prepare(usualProfile: OciSeccomp, signal: AbortSignal): Promise<void>;
}

export function createMonitorRuntime(places: MonitorRuntimePlaces): MonitorRuntime {
  const { programs, runDir, cgroupRoot, stallMs = 15_000 } = places;
  const spawner = new Spawner({ program: path.join(programs, 'monitor'), runDir, cgroupRoot });

  return {
    async prepare(usualProfile, signal) {
      await Promise.all([spawner.prepare(signal), places.compileSeccomp(usualProfile)]);
    },

    async create(request, signal) {
      const profile = request.config.linux.seccomp;
      const seccomp = profile && (await places.compileSeccomp(profile));
      const plan = compileOrExplain(() => compilePlan(request, { cgroupRoot, seccomp, stallMs }));
      await mkdir(request.runDir, { recursive: true, mode: 0o700 });
      /* An earlier run's must not be taken for this one's. */
      await Promise.all(recordPaths(request.exitRecordPath).map((file) => rm(file, { force: true })));
      const socket = await spawner.connect(signal);
      const cancel = () => socket.destroy();
      signal.addEventListener('abort', cancel);
      const container = new MonitoredContainer({
        id: request.id,
        tty: request.config.process.terminal,
        socketPath: path.join(request.runDir, 'monitor.sock'),
        cgroup: path.join(cgroupRoot, request.cgroup),
        socket,
        lost: () => findExit(request.exitRecordPath, path.join(cgroupRoot, request.cgroup)),
      });
      try {
        const answer = await container.connection.request(requestTags.create, [], [], plan);
        container.pid = answer.numbers[1] ?? 0;
        signal.throwIfAborted();
        return container;
      } catch (error) {
        container.detach();
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },

    async reattach({ id, runDir: folder, cgroup, exitRecordPath }) {
      const socketPath = path.join(folder, 'monitor.sock');
      const cgroupPath = path.join(cgroupRoot, cgroup);
      const socket = await connectUnix(socketPath).catch(() => undefined);
      if (socket === undefined) {
        await killAll(cgroupPath);
        return undefined;
      }
      const container = new MonitoredContainer({
        id,
        tty: false,
        socketPath,
        cgroup: cgroupPath,
        socket,
        lost: () => findExit(exitRecordPath, cgroupPath),
      });
      return (await learnState(container, container.connection)) ? container : undefined;
    },

    readExitRecord,
  };
}

/** False when the monitor went away while it was asked. */
async function learnState(container: MonitoredContainer, connection: MonitorConnection): Promise<boolean> {
  try {
    const { numbers } = await connection.request(requestTags.state);
    container.pid = numbers[1] ?? 0;
    container.tty = numbers[2] === 1;
    return true;
  } catch {
    container.detach();
    return false;
  }
}

/** The record of a container whose monitor is gone; without one, the monitor was killed, and the container with it. */
async function findExit(exitRecordPath: string, cgroup: string): Promise<ExitRecord> {
  const record = await readExitRecord(exitRecordPath).catch(() => undefined);
  if (record !== undefined) return record;
  await killAll(cgroup).catch(() => undefined);
  return { exitCode: 137, oomKilled: false, finishedAt: new Date().toISOString() };
}

/** The record, and its name until the rename is done: a power cut may leave it under either. */
function recordPaths(exitRecordPath: string): readonly string[] {
  return [exitRecordPath, `${exitRecordPath}.new`];
}

async function readExitRecord(exitRecordPath: string): Promise<ExitRecord | undefined> {
  for (const file of recordPaths(exitRecordPath)) {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    const record = text === undefined ? undefined : parseExitRecord(text);
    if (record !== undefined) return record;
  }
  return undefined;
}

/** Undefined for one that a power cut left incomplete. */
function parseExitRecord(text: string): ExitRecord | undefined {
  let record: Partial<ExitRecord>;
  try {
    record = JSON.parse(text) as Partial<ExitRecord>;
  } catch {
    return undefined;
  }
  if (typeof record.exitCode !== 'number' || typeof record.finishedAt !== 'string') return undefined;
  return { exitCode: record.exitCode, oomKilled: record.oomKilled === true, finishedAt: record.finishedAt };
}

function compileOrExplain<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw new LaunchError('setup', (error as Error).message, { cause: error });
  }
}
