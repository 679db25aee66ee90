/** The host core's services, as handlers and shells see them; `host.ts` builds the implementations. */
import type { Duplex } from 'node:stream';
import type { SecretStore } from './secrets/secret-store.ts';
import type { DoctorCheck, Settings, VmView } from './contract/vm.ts';

/** Ends a subscription. */
export type Unsubscribe = () => void;

export interface VmService {
  /** The present view; a new object on every change. */
  readonly view: VmView;
  onChange(listener: (view: VmView) => void): Unsubscribe;
  /**
   * Boots, attaches to a running VM, or joins a boot under way; resolves when ready.
   * Rejects with the failing stage's error and hint. Aborting only ends this caller's wait.
   */
  start(signal?: AbortSignal): Promise<void>;
  /** Guest asked first, then power button, then kill; resolves when the process is gone. */
  stop(signal?: AbortSignal): Promise<void>;
  restart(signal?: AbortSignal): Promise<void>;
  /**
   * Saves its state and ends its process; `start` brings it back. Resolves when it sleeps; a VM that sleeps already is no error.
   * @param idle refuses with `conflict` when anything goes on in the guest; without, only when a transfer would be spoilt
   * Rejects with `unsupported` where the state cannot be saved. The VM runs on in either case.
   */
  sleep(idle: boolean, signal?: AbortSignal): Promise<void>;
  /** Stops the VM, removes the data disk with all images, containers and volumes, and boots with an empty one. */
  reset(signal?: AbortSignal): Promise<void>;
  /** The remedy for what is wrong now; resolves when ready. */
  mend(signal?: AbortSignal): Promise<void>;
  /** The serial console: captured text first, then live until the signal aborts. */
  console(signal: AbortSignal): AsyncIterable<string>;
}

/** Fresh byte streams to the guest over the supervised link. */
export interface GuestLink {
  /** A stream to the guest's engine socket. Half-close is kept. Rejects with `vm-absent`, `link-lost` or `deadline`. */
  connectEngine(purpose: 'control' | 'stream' | 'bulk', signal?: AbortSignal): Promise<Duplex>;
  /** A TCP connection to a port of the guest's own address, where published ports are. Half-close is kept. */
  connectPort(port: number, signal?: AbortSignal): Promise<Duplex>;
  /** Runs a command, or a login shell, as root in the guest. */
  openGuestShell(request: GuestShellRequest, signal?: AbortSignal): Promise<GuestShell>;
  /** Called each time the link is up again after having been down. */
  onUp(listener: () => void): Unsubscribe;
}

export interface GuestShellRequest {
  /** Absent: an interactive shell. */
  readonly command?: string;
  readonly pty?: { readonly columns: number; readonly rows: number; readonly term: string };
}

export interface GuestShell {
  readonly stdio: Duplex;
  readonly stderr: NodeJS.ReadableStream;
  readonly exited: Promise<number>;
  resize(columns: number, rows: number): void;
}

export interface SettingsService {
  readonly current: Settings;
  /** Validates, writes durably, tells listeners. Rejects with `invalid-input` naming the field and its bounds. */
  set(settings: Settings): Promise<{ needsRestart: readonly string[] }>;
  onChange(listener: (settings: Settings) => void): Unsubscribe;
}

export interface DoctorService {
  run(signal?: AbortSignal): Promise<readonly DoctorCheck[]>;
}

/** Everything a shell serves; owned and disposed by `host.ts`. */
export interface HostServices {
  readonly home: string;
  readonly vm: VmService;
  readonly link: GuestLink;
  readonly settings: SettingsService;
  readonly secrets: SecretStore;
  readonly doctor: DoctorService;
  /** Connections to the local docker socket that are open now. */
  readonly dockerClients: () => number;
}
