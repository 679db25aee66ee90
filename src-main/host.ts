/** Composition root of the host core: builds every service of one home, and disposes them in reverse. */
import path from 'node:path';
import { Cleanup } from './cleanup.ts';
import { AppError } from './contract/errors.ts';
import type { Settings } from './contract/vm.ts';
import { Doctor } from './diagnostics/doctor.ts';
import { serveLocalSocket } from './engine/local-socket.ts';
import type { HomePaths } from './home.ts';
import { Link } from './link/link.ts';
import { servePorts } from './ports/ports.ts';
import { FileSecrets, type Sealer } from './secrets/secret-store.ts';
import type { HostServices } from './services.ts';
import { SettingsStore } from './settings/store.ts';
import type { VmBackend } from './vm/backend.ts';
import { HyperVBackend } from './vm/hyperv/backend.ts';
import { Machine } from './vm/machine.ts';
import { QemuBackend } from './vm/qemu/backend.ts';

export interface HostOptions {
  /** Folder that holds `<arch>/manifest.json`: `dist/guest` in a checkout, `resources/guest` when packaged. */
  readonly imageRoot: string;
  /** Of the guest; this machine's own when absent. */
  readonly architecture?: 'amd64' | 'arm64';
  /** In place of the Hyper-V back end, which is there on Windows only. */
  readonly hyperv?: (paths: HomePaths) => VmBackend;
  /** For tests and development: more read-only disks in the guest. */
  readonly extraDisks?: readonly { readonly path: string; readonly serial: string }[];
  /** Let a payload disk's `agent/` folder take the place of the image's programs. */
  readonly devImage?: boolean;
  /** The system's keychain, where the shell has a way to it. */
  readonly sealer?: Sealer;
  /** False: leave a VM that runs already alone until somebody asks for it. */
  readonly attach?: boolean;
}

export type Host = HostServices & AsyncDisposable;

/**
 * Builds the services of a home whose lock the caller holds (`lockHome`). Disposing it leaves the VM running.
 *
 * ```ts
 * const paths = await prepareHome(defaultHome());
 * await using lock = await lockHome(paths.lock, 'shell');
 * await using host = await createHost(paths, { imageRoot });
 * await host.vm.start();
 * ```
 */
export async function createHost(paths: HomePaths, options: HostOptions): Promise<Host> {
  await using cleanup = new Cleanup();
  const settings = await SettingsStore.open(paths);
  const secrets = await FileSecrets.open(paths.secrets, options.sealer);
  const architecture = options.architecture ?? hostArchitecture();
  const link = new Link();
  cleanup.add('close the link', () => link[Symbol.asyncDispose]());
  const imageFolder = path.join(options.imageRoot, architecture);
  const pickBackend = (): VmBackend => chooseBackend(paths, architecture, settings.current, options);
  const machine = new Machine({
    paths,
    settings,
    link,
    chooseBackend: pickBackend,
    imageFolder,
    extraDisks: options.extraDisks ?? [],
    devImage: options.devImage ?? false,
  });
  cleanup.add('let go of the VM', () => machine[Symbol.asyncDispose]());
  await machine.findSleeping();
  const wakeForClient = (signal: AbortSignal): Promise<void> => startForClient(machine, signal);
  const ports = servePorts({ machine, link, file: paths.vm.sleepingPorts, wake: wakeForClient });
  cleanup.add('close the ports channel', () => ports[Symbol.asyncDispose]());
  const socket = await serveLocalSocket({
    path: paths.dockerSocket,
    ready: wakeForClient,
    connect: (signal) => link.connectEngine('bulk', signal),
  });
  cleanup.add('close the docker socket', () => socket[Symbol.asyncDispose]());
  if (options.attach !== false && (await machine.hasRunningVm())) {
    // The view tells how it goes; nobody waits for it here.
    machine.start().catch(() => undefined);
  }
  const owned = cleanup.release();
  return {
    home: paths.root,
    vm: machine,
    link,
    settings,
    secrets,
    doctor: new Doctor({
      paths,
      settings: () => settings.current,
      imageFolder,
      chooseBackend: pickBackend,
      held: () => machine.running,
      hasOwner: () => Promise.resolve(true),
    }),
    dockerClients: () => socket.clients,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** The guest's architecture on this machine. */
export function hostArchitecture(): 'amd64' | 'arm64' {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new AppError('unsupported', `start Wherry: there is no guest image for ${process.arch} machines`);
}

/** The back end that the settings ask for. @throws AppError `unsupported` when it is not there on this platform. */
export function chooseBackend(
  paths: HomePaths,
  architecture: 'amd64' | 'arm64',
  settings: Settings,
  options: Pick<HostOptions, 'hyperv'>,
): VmBackend {
  if (settings.vm.backend === 'hyperv') {
    if (options.hyperv !== undefined) return options.hyperv(paths);
    if (process.platform === 'win32') return new HyperVBackend({ folder: paths.vm.folder });
    throw new AppError('unsupported', 'start the VM: Hyper-V is there on Windows only', {
      hint: "Set the back end to 'auto' or 'qemu'.",
    });
  }
  return new QemuBackend({ paths, architecture });
}

async function startForClient(machine: Machine, signal: AbortSignal): Promise<void> {
  if (machine.stoppedOnPurpose && machine.view.state.kind !== 'ready') {
    throw new AppError('vm-absent', 'the VM is stopped', { hint: 'Start it in the window, or with: wherry up' });
  }
  await machine.start(signal);
}
