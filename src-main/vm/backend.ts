/**
 * What runs the VM: QEMU everywhere, Hyper-V on Windows.
 *
 * Lifecycle: `probe` → `prepareDisk` → `start`, or `attach` to a VM that an earlier process started. A VM outlives the
 * process that started it: disposing a {@link RunningVm} only lets go of it. Only `kill`, `powerButton` and the guest
 * itself end it; `exited` then resolves.
 *
 * Every method takes an AbortSignal where it can wait; aborting `start` leaves no process behind.
 */
import type { Accelerator } from '../contract/vm.ts';
import type { ProcessIdentity } from '../process-identity.ts';

export interface VmBackend {
  readonly kind: 'qemu' | 'hyperv';
  readonly capabilities: BackendCapabilities;
  /**
   * Finds the program and the best accelerator that really works here.
   * @throws AppError `qemu-missing` (with the install command as hint) or `unsupported`.
   */
  probe(request: ProbeRequest, signal?: AbortSignal): Promise<BackendProbe>;
  /**
   * Creates the data disk (sparse), or grows it to the wanted size; never shrinks it, never touches its content.
   * The VM must not be running.
   */
  prepareDisk(file: string, sizeBytes: number, signal?: AbortSignal): Promise<PreparedDisk>;
  /**
   * Starts the machine and resolves once its process lives; the guest is still booting then.
   * @throws AppError `vm-failed` with the program's own last words.
   */
  start(machine: MachineSpec, signal?: AbortSignal): Promise<RunningVm>;
  /** The VM that `record` describes, or undefined when it no longer runs (stale files are removed then). */
  attach(record: VmRecord, signal?: AbortSignal): Promise<RunningVm | undefined>;
}

export interface BackendCapabilities {
  /** How the guest is to set up its network: goes into the seed. */
  readonly network: 'static' | 'dhcp';
}

export interface ProbeRequest {
  readonly accelerator: 'auto' | Accelerator;
  /** The guest's kernel, which the probe boots for a moment. */
  readonly kernel: string;
}

export interface BackendProbe {
  readonly accelerator: Accelerator | 'hyperv';
  readonly version: string;
  /** Why a better accelerator was passed over. */
  readonly warnings: readonly Warning[];
}

export interface Warning {
  readonly message: string;
  readonly hint: string;
}

export interface PreparedDisk {
  readonly created: boolean;
  readonly grown: boolean;
  /** The size it has now; may be more than asked for. */
  readonly sizeBytes: number;
}

export interface MachineSpec {
  /** Unique per home; tells this VM from others in process lists. */
  readonly name: string;
  readonly accelerator: Accelerator | 'hyperv';
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly image: GuestImage;
  readonly kernelArgs: string;
  readonly dataDisk: string;
  /** Read-only in the guest. */
  readonly seedDisk: string;
  /** More read-only disks: `serial` is how the guest knows them. */
  readonly extraDisks: readonly { readonly path: string; readonly serial: string }[];
  /** Everything the guest writes to its serial port is appended here. */
  readonly consoleLog: string;
}

/** A guest system image whose files were checked against its manifest. */
export interface GuestImage {
  readonly architecture: 'amd64' | 'arm64';
  readonly version: string;
  /** Changes with every change of the content. */
  readonly id: string;
  readonly kernel: string;
  readonly initramfs: string;
  readonly system: string;
}

/** What is written to `vm.json` so that a later process can attach. Plain JSON. */
export interface VmRecord {
  readonly version: 1;
  readonly backend: 'qemu' | 'hyperv';
  readonly process: ProcessIdentity;
  readonly name: string;
  readonly accelerator: Accelerator | 'hyperv';
  readonly backendVersion: string;
  /** Where the guest's SSH server is reached from the host. */
  readonly ssh: SshAddress;
  /** {@link GuestImage.id} it was started from. */
  readonly imageId: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly startedAtMs: number;
}

interface SshAddress {
  readonly host: string;
  readonly port: number;
}

/** Disposing it lets go of the VM without ending it. */
export interface RunningVm extends AsyncDisposable {
  readonly record: VmRecord;
  /** Resolves when the VM's process has ended, with what it said last (may be empty). Never rejects. */
  readonly exited: Promise<{ readonly detail: string }>;
  /** Probes the monitor: resolves with the run state it reports (`running`, `paused`…). */
  status(signal?: AbortSignal): Promise<string>;
  /** Asks the guest's kernel to power off, as the button on the case would. */
  powerButton(signal?: AbortSignal): Promise<void>;
  /** Ends the process at once; resolves when it is gone. */
  kill(): Promise<void>;
  /** Forwards that outlive this process. Undefined: the back end has none, and the link does it. IPv4 only. */
  readonly monitorForwards: HostForwards | undefined;
}

/** Ports of the host that lead to the guest. */
export interface HostForwards {
  /**
   * Passes a host port on to the guest.
   * @throws AppError `port-taken`, `vm-failed` or `unsupported`. Adding one that is there already is not an error.
   */
  addForward(forward: PortForward, signal?: AbortSignal): Promise<void>;
  /** Removing one that is not there is not an error. */
  removeForward(forward: Omit<PortForward, 'guestPort'>, signal?: AbortSignal): Promise<void>;
  /** Those in force now, without the one for SSH. */
  forwards(signal?: AbortSignal): Promise<readonly PortForward[]>;
}

export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  readonly hostIp: string;
  readonly hostPort: number;
  readonly guestPort: number;
}
