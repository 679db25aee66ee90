/** The VM as windows and the command line see it. */

/** Boot stages, in order. Each is probed, never assumed. */
export const vmStages = ['prepare', 'process', 'monitor', 'ssh', 'agent', 'disk', 'network', 'engine'] as const;
export type VmStage = (typeof vmStages)[number];

export interface VmStageProgress {
  readonly stage: VmStage;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** What is being waited for, in the user's words: "Waiting for the engine to answer". */
  readonly label: string;
  /** Milliseconds this stage took, once done. */
  readonly tookMs?: number;
}

/** The VM's state: one union, changed only by the pure transition function in `src-main/vm/state.ts`. */
export type VmState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'booting'; readonly stage: VmStage; readonly attempt: number; readonly startedAtMs: number }
  | { readonly kind: 'ready'; readonly sinceMs: number; readonly bootTookMs: number }
  /** `saving`: it is halted and its state is being written; `saved`: it costs no memory, and any docker command, client of a published port or deed in a window wakes it. */
  | { readonly kind: 'sleeping'; readonly step: 'saving' | 'saved' }
  | { readonly kind: 'resuming'; readonly startedAtMs: number }
  | { readonly kind: 'stopping'; readonly step: 'guest' | 'power-button' | 'kill' }
  | { readonly kind: 'failed'; readonly stage: VmStage; readonly message: string; readonly hint: string };

export type Accelerator = 'hvf' | 'whpx' | 'kvm' | 'tcg';

export interface VmView {
  readonly state: VmState;
  readonly stages: readonly VmStageProgress[];
  /** Undefined until a back end was chosen. */
  readonly backend?: {
    readonly kind: 'qemu' | 'hyperv';
    readonly accelerator: Accelerator | 'hyperv';
    readonly version: string;
  };
  /** The link between host and guest; `down` with a ready VM means it is being rebuilt. */
  readonly link: 'none' | 'connecting' | 'up' | 'down';
  /** The local socket (or pipe) that docker connects to, as `DOCKER_HOST` takes it. */
  readonly dockerHost: string;
  /** Something that works less well than it should, with what to do: shown as a banner. */
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
}

/** In bytes. Held: taken from this machine. Used: needed inside the VM; the rest of what is held can be given back. */
export interface VmUsage {
  readonly disk: { readonly limitBytes: number; readonly heldBytes: number; readonly usedBytes?: number };
  /** `heldBytes` is absent when no VM runs, or the platform does not tell. */
  readonly memory: { readonly limitBytes: number; readonly heldBytes?: number };
}

export interface VmSettings {
  /** 1 … the host's cores. */
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Size of the data disk; it can only grow. */
  readonly diskGiB: number;
  /** `auto` probes in the platform's order of preference. */
  readonly accelerator: 'auto' | Accelerator;
  readonly backend: 'auto' | 'qemu' | 'hyperv';
}

export const defaultTerminal: TerminalSettings = { fontFamily: '', fontSize: 13, theme: 'window' };

/** How the VM reaches registries, and the addresses of its networks. It is told at its start. */
export interface NetworkSettings {
  /** `system`: what this machine's environment names (`http_proxy`…). */
  readonly proxy: 'system' | 'none' | 'manual';
  /** With `manual`: an address without a password, or empty. */
  readonly httpProxy: string;
  readonly httpsProxy: string;
  /** Hosts and domains without a proxy, separated by commas. */
  readonly noProxy: string;
  /** `host` or `host:port`: plain HTTP and unverified certificates will do there. */
  readonly insecureRegistries: readonly string[];
  /** The same form: asked before the default registry, in this order. */
  readonly registryMirrors: readonly string[];
  /** PEM: authorities trusted besides those of this machine. */
  readonly certificates: string;
  /**
   * `10.10.0.0/16:24`: new networks get IPv4 subnets of that prefix length from there, the first pool first. Empty: Docker's
   * own pools. Networks there are keep theirs.
   */
  readonly addressPools: readonly string[];
}

export const defaultNetwork: NetworkSettings = {
  proxy: 'system',
  httpProxy: '',
  httpsProxy: '',
  noProxy: '',
  insecureRegistries: [],
  registryMirrors: [],
  certificates: '',
  addressPools: [],
};

export interface TerminalSettings {
  /** As in CSS; empty: the window's own. Where the machine does not have it, the window's own is used. */
  readonly fontFamily: string;
  /** In CSS pixels. */
  readonly fontSize: number;
  /** `window`: light or dark as the window is. `black`: dark on pure black. */
  readonly theme: 'window' | 'light' | 'dark' | 'black';
}

export const terminalFontSizes = { least: 8, most: 32 };

/** What only the desktop shell does. */
export interface DesktopSettings {
  /** The window's close button: hide it, the tray brings it back; or quit, which then does what `onQuit` says. */
  readonly onClose: 'hide' | 'quit';
  readonly startAtLogin: boolean;
  /** A pull has finished, a container died. */
  readonly notifications: boolean;
}

export interface Settings {
  readonly vm: VmSettings;
  readonly network: NetworkSettings;
  readonly appearance: { readonly theme: 'system' | 'light' | 'dark' };
  readonly terminal: TerminalSettings;
  readonly desktop: DesktopSettings;
  readonly onQuit: OnQuit;
  /** Minutes without a running container, a terminal or a docker client until the VM is put to sleep; 0: never. */
  readonly sleepAfterMinutes: number;
}

export type OnQuit = 'leave-running' | 'sleep' | 'stop';

export const longestSleepAfterMinutes = 1440;

/** One line of `doctor`: a stage or a thing the host needs. */
export interface DoctorCheck {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
  /** The remedy, when state is not ok. */
  readonly remedy?: string;
}
