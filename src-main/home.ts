/** `WHERRY_HOME`: the one folder that holds all of Wherry's state on the host, and every path inside it. */
import { createHash } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AppError } from './contract/errors.ts';

export interface HomePaths {
  readonly root: string;
  readonly settings: string;
  /** Passwords and tokens: see `secrets/`. */
  readonly secrets: string;
  /** Where docker connects: a unix socket, or a named pipe on Windows. */
  readonly dockerSocket: string;
  /** Where other Wherry processes of the same home connect. */
  readonly hostSocket: string;
  readonly lock: string;
  readonly logs: string;
  readonly vm: {
    readonly folder: string;
    readonly dataDisk: string;
    readonly seedDisk: string;
    readonly pid: string;
    readonly qmpSocket: string;
    readonly console: string;
    readonly hostKey: string;
    readonly clientKey: string;
    /** What is running: see `vm/record.ts`. */
    readonly record: string;
    /** The state of a VM that sleeps, and what it fits to: see `vm/saved-state.ts`. */
    readonly savedState: string;
    readonly savedRecord: string;
    /** Through which ports it is woken: see `ports/ports.ts`. */
    readonly sleepingPorts: string;
    /** Through which QEMU hands its state over, or takes it: a unix socket (a loopback port on Windows). */
    readonly stateSocket: string;
    /** Outcome of the accelerator probe, so that it runs once and not at each boot. */
    readonly accelerator: string;
    /** Which image files were found whole. */
    readonly verified: string;
    /** The instance's identity, made once. */
    readonly instance: string;
  };
}

/** The platform's place for it, unless `WHERRY_HOME` says otherwise. */
export function defaultHome(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  userHome = os.homedir(),
): string {
  if (env['WHERRY_HOME'] !== undefined && env['WHERRY_HOME'] !== '') return path.resolve(env['WHERRY_HOME']);
  switch (platform) {
    case 'darwin':
      return path.join(userHome, 'Library', 'Application Support', 'Wherry');
    case 'win32':
      return path.win32.join(env['LOCALAPPDATA'] ?? path.win32.join(userHome, 'AppData', 'Local'), 'Wherry');
    default:
      return path.join(userHome, '.wherry');
  }
}

export function homePaths(root: string, platform: NodeJS.Platform = process.platform): HomePaths {
  const vm = path.join(root, 'vm');
  // Pipes live in one name space for all users, so the home's path is part of the name.
  const pipe = (name: string) =>
    `\\\\.\\pipe\\wherry-${createHash('sha256').update(root.toLowerCase()).digest('hex').slice(0, 12)}-${name}`;
  const socket = (folder: string, name: string) =>
    platform === 'win32' ? pipe(name) : path.join(folder, `${name}.sock`);
  return {
    root,
    settings: path.join(root, 'settings.json'),
    secrets: path.join(root, 'secrets.json'),
    dockerSocket: socket(root, 'docker'),
    hostSocket: socket(root, 'host'),
    lock: path.join(root, 'host.lock'),
    logs: path.join(root, 'logs'),
    vm: {
      folder: vm,
      dataDisk: path.join(vm, 'data.qcow2'),
      seedDisk: path.join(vm, 'seed.img'),
      pid: path.join(vm, 'qemu.pid'),
      qmpSocket: path.join(vm, 'qmp.sock'),
      console: path.join(vm, 'console.log'),
      hostKey: path.join(vm, 'ssh_host_ed25519_key'),
      clientKey: path.join(vm, 'client_ed25519'),
      record: path.join(vm, 'vm.json'),
      savedState: path.join(vm, 'sleep.state'),
      savedRecord: path.join(vm, 'sleep.json'),
      sleepingPorts: path.join(vm, 'sleep-ports.json'),
      stateSocket: path.join(vm, 'state.sock'),
      accelerator: path.join(vm, 'accelerator.json'),
      verified: path.join(vm, 'verified.json'),
      instance: path.join(vm, 'instance.json'),
    },
  };
}

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing zero. */
export function checkSocketPath(socket: string, platform: NodeJS.Platform = process.platform): void {
  if (platform === 'win32') return;
  const limit = platform === 'linux' ? 107 : 103;
  const length = Buffer.byteLength(socket);
  if (length <= limit) return;
  throw new AppError(
    'invalid-input',
    `use ${socket}: a socket's path may be ${limit} bytes long, this one is ${length}`,
    {
      hint: 'Set WHERRY_HOME to a folder with a shorter path.',
    },
  );
}

/** Makes the folders, closed to other users, and checks that the sockets' paths fit. */
export async function prepareHome(root: string): Promise<HomePaths> {
  const paths = homePaths(root);
  for (const socket of [paths.dockerSocket, paths.hostSocket, paths.vm.qmpSocket, paths.vm.stateSocket])
    checkSocketPath(socket);
  try {
    for (const folder of [paths.root, paths.vm.folder, paths.logs]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
    }
  } catch (error) {
    throw new AppError('unavailable', `prepare ${root}: ${(error as Error).message}`, {
      hint: 'Make the folder writable for you, or set WHERRY_HOME to another one.',
      cause: error,
    });
  }
  return paths;
}

/** The local socket (or named pipe) as `DOCKER_HOST` takes it. */
export function dockerHost(socket: string): string {
  return socket.startsWith('\\\\') ? `npipe://${socket.replaceAll('\\', '/')}` : `unix://${socket}`;
}
