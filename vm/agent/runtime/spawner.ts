/** The spawner: the small process that forks a monitor for each container (`native/monitor/main.c`). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import path from 'node:path';
import { connectUnix } from './monitor-connection.ts';
import { LaunchError } from './runtime.ts';

export interface SpawnerPlaces {
  /** The monitor program. */
  readonly program: string;
  /** Volatile folder of the spawner's socket and of the mount points. */
  readonly runDir: string;
  /** Where cgroup v2 is mounted. */
  readonly cgroupRoot: string;
}

const controllers = ['cpu', 'memory', 'pids', 'io', 'cpuset'];
const startTimeoutMs = 15_000;

export class Spawner {
  readonly #places: SpawnerPlaces;
  #starting: Promise<void> | undefined;

  constructor(places: SpawnerPlaces) {
    this.#places = places;
  }

  /** A connection to a fresh monitor, which waits for its plan. Starts the spawner when there is none. */
  async connect(signal: AbortSignal): Promise<Socket> {
    const socketPath = path.join(this.#places.runDir, 'spawner.sock');
    try {
      return await connectUnix(socketPath, signal);
    } catch (error) {
      if (!isNobodyThere(error)) throw error;
    }
    await this.#startOnce(socketPath);
    return connectUnix(socketPath, signal);
  }

  /** Sees to it that there is one, so that the first start need not wait for it. */
  async prepare(signal: AbortSignal): Promise<void> {
    (await this.connect(signal)).destroy();
  }

  #startOnce(socketPath: string): Promise<void> {
    this.#starting ??= this.#start(socketPath).finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async #start(socketPath: string): Promise<void> {
    const { program, runDir, cgroupRoot } = this.#places;
    await mkdir(runDir, { recursive: true, mode: 0o711 });
    await enableControllers(cgroupRoot);
    const staging = path.join(runDir, 'staging');
    const child = spawn(program, [socketPath, staging, path.join(cgroupRoot, 'wherry-monitors')], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
      env: {},
    });
    child.unref();
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    try {
      /* It writes one byte when it listens. */
      const signal = AbortSignal.timeout(startTimeoutMs);
      await Promise.race([
        once(child.stdout, 'data', { signal }),
        once(child, 'exit', { signal }).then(([code]) => {
          throw new Error(`it ended with code ${String(code)}`);
        }),
      ]);
    } catch (error) {
      const reason = complaint.trim() || (error as Error).message;
      throw new LaunchError('setup', `start the spawner ${program}: ${reason}`, { cause: error });
    } finally {
      child.stdout.destroy();
      child.stderr.destroy();
      child.removeAllListeners();
    }
  }
}

/** Lets the containers' cgroups have limits. A controller the kernel lacks fails later, where it is asked for. */
async function enableControllers(cgroupRoot: string): Promise<void> {
  const parent = path.join(cgroupRoot, 'wherry');
  await mkdir(parent, { recursive: true });
  for (const folder of [cgroupRoot, parent]) {
    for (const controller of controllers) {
      await writeFile(path.join(folder, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined);
    }
  }
}

function isNobodyThere(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '');
}
