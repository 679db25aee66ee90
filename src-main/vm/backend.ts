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
  /**
   * A digest of all of this machine that a saved state fits to: the program's version, its arguments, the host's processor.
   * The content of the files is not in it.
   */
  fingerprint(machine: MachineSpec, signal?: AbortSignal): Promise<string>;
  /**
   * Starts the machine with the state that {@link RunningVm.save} wrote, halted: {@link RunningVm.go} lets it run on.
   * @throws AppError `vm-failed` when the state does not fit; nothing is left running then.
   */
  restore(machine: MachineSpec, state: StateFile, signal?: AbortSignal): Promise<RunningVm>;
}

/** A VM's saved state, and how to tell that it is whole. */
export interface StateFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** CRC-32 of all of it: finds damage, not forgery, which the folder's mode prevents. */
  readonly checksum: number;
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
  /** {@link VmBackend.fingerprint} of its machine. Absent: it cannot sleep. */
  readonly fingerprint?: string | undefined;
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
  /** Probes the monitor: resolves with the run state it reports (`running`; `paused` or `postmigrate` when halted…). */
  status(signal?: AbortSignal): Promise<string>;
  /** Asks the guest's kernel to power off, as the button on the case would. */
  powerButton(signal?: AbortSignal): Promise<void>;
  /** Ends the process at once; resolves when it is gone. */
  kill(): Promise<void>;
  /**
   * Halts the guest, writes all its state to a new file, and resolves once that is on the disk. The guest stays halted, with
   * nothing left to be written to its disks: `kill` ends it, {@link go} lets it run on.
   * @throws AppError `unsupported` when this machine cannot be saved, before it was halted; `vm-failed`, or the signal's reason
   * when aborted: the guest runs on then.
   */
  save(path: string, signal?: AbortSignal): Promise<StateFile>;
  /** Lets a halted guest run on. One that runs is no error. */
  go(signal?: AbortSignal): Promise<void>;
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
  removeForward(forward: HostPort, signal?: AbortSignal): Promise<void>;
  /** Those in force now, without the one for SSH. */
  forwards(signal?: AbortSignal): Promise<readonly PortForward[]>;
}

/** A place on this computer that one program can have. */
export interface HostPort {
  readonly protocol: 'tcp' | 'udp';
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface PortForward extends HostPort {
  readonly guestPort: number;
}

export function isSameHostPort(a: HostPort, b: HostPort): boolean {
  return a.protocol === b.protocol && a.hostIp === b.hostIp && a.hostPort === b.hostPort;
}

/** Both ends are the same. */
export function isSameForward(a: PortForward, b: PortForward): boolean {
  return isSameHostPort(a, b) && a.guestPort === b.guestPort;
}
