/**
 * Runs processes in containers, through one monitor (C, `native/monitor`) per container that outlives the agent.
 *
 * Lifecycle: `create` (monitor up, namespaces made, the process waits before its own mounts and `execve`) → the caller
 * attaches networks and streams → `go` → running → `exited` resolves. After an agent restart `reattach` finds the monitor.
 */
import type { Duplex } from 'node:stream';

/** Ids of a container's user namespace: ids 0…size-1 inside are base…base+size-1 in the guest. */
interface IdRange {
  readonly base: number;
  readonly size: number;
}

/** Where the container's root filesystem comes from: an overlay, mounted by the monitor in its own mount namespace. */
export interface RootFilesystem {
  /** Layer folders, topmost first, unshifted on disk; mounted idmapped when there is an id range. */
  readonly lowerDirs: readonly string[];
  /** Upper and work folders; the upper is owned by the mapped root. */
  readonly upperDir: string;
  readonly workDir: string;
}

export interface LogFile {
  /** `<path>`, `<path>.1`…: Docker's json-file format. */
  readonly path: string;
  readonly maxSizeBytes: number;
  readonly maxFiles: number;
}

export interface LaunchRequest {
  readonly id: string;
  /** An OCI runtime configuration (config.json, OCI runtime specification 1.2). */
  readonly config: OciConfig;
  readonly rootfs: RootFilesystem;
  /** Undefined: no user namespace (`--privileged`, `--userns=host`). */
  readonly idRange: IdRange | undefined;
  /** Folder under /sys/fs/cgroup, `wherry/<id>`. */
  readonly cgroup: string;
  /** Volatile folder for the monitor's socket. */
  readonly runDir: string;
  /** Written durably by the monitor when the container ends: {@link ExitRecord} as JSON. */
  readonly exitRecordPath: string;
  readonly log: LogFile | undefined;
  readonly openStdin: boolean;
  /** Close the process's stdin when the first attached client ends its side. */
  readonly stdinOnce: boolean;
}

export interface ExitRecord {
  /** 0…255; 128+n for signal n. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** RFC 3339, nanoseconds. */
  readonly finishedAt: string;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Is never dropped: while it takes nothing, the process waits. For a container that has no other reader. */
  readonly patient?: boolean;
}

/** The process could not be started; Docker's exit codes follow from the kind (127, 126, 128). */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  readonly kind: 'not-found' | 'not-executable' | 'setup';

  constructor(kind: LaunchError['kind'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

export interface ContainerRuntime {
  create(request: LaunchRequest, signal: AbortSignal): Promise<RunningContainer>;
  /** The live monitor of a container started earlier, or undefined when there is none. */
  reattach(request: {
    id: string;
    runDir: string;
    cgroup: string;
    exitRecordPath: string;
  }): Promise<RunningContainer | undefined>;
  /** What the monitor left behind for a container that ended while nobody watched. */
  readExitRecord(exitRecordPath: string): Promise<ExitRecord | undefined>;
}

export interface RunningContainer {
  readonly id: string;
  /** The container's PID 1, as the guest numbers it. */
  readonly pid: number;
  /** True when a terminal was asked for: streams are then raw, else Docker's 8-byte-header frames. */
  readonly tty: boolean;
  /** Rejects with {@link LaunchError} when the program cannot be executed. */
  go(): Promise<void>;
  /** Resolves once, when PID 1 has ended and its output is fully logged; never rejects. */
  readonly exited: Promise<ExitRecord>;
  /** A stream of output (and input, if asked) from now on. Its end is the process's end; `end()` on it ends stdin. */
  attach(options: AttachOptions): Promise<Duplex>;
  resize(size: { columns: number; rows: number }): Promise<void>;
  /** Signals PID 1. */
  kill(signal: number): Promise<void>;
  /** Freezes or thaws the cgroup, and waits until it is so. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  exec(request: ExecRequest, signal: AbortSignal): Promise<RunningExec>;
  /** Pids in the container, as the guest numbers them. */
  pids(): Promise<readonly number[]>;
  /** Lets go of the connection; the monitor and the container live on. */
  detach(): void;
}

export interface ExecRequest {
  readonly execId: string;
  /** The `process` object of the OCI configuration. */
  readonly process: OciProcess;
  readonly attachStdin: boolean;
  /** A file of the guest's that runs in place of one of the container's; statically linked. The first argument is only its name. */
  readonly guestProgram?: string;
}

export interface RunningExec {
  readonly pid: number;
  readonly tty: boolean;
  /** Output from the very start (the monitor holds the process until this is taken), raw or framed as for a container. */
  readonly stream: Duplex;
  readonly exited: Promise<number>;
  resize(size: { columns: number; rows: number }): Promise<void>;
  /** Signals it and the processes of its session that have not left its group; nothing when it has ended. */
  kill(signal: number): void;
}

/** The part of the OCI process object that is used. */
export interface OciProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly width: number; readonly height: number };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids: readonly number[];
    readonly umask?: number;
  };
  readonly capabilities: {
    readonly bounding: readonly string[];
    readonly effective: readonly string[];
    readonly permitted: readonly string[];
    readonly inheritable: readonly string[];
    readonly ambient: readonly string[];
  };
  readonly noNewPrivileges: boolean;
  readonly rlimits: readonly { readonly type: string; readonly hard: number; readonly soft: number }[];
  readonly oomScoreAdj?: number;
}

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  /** mount(8) option words, including propagation and `idmap`. */
  readonly options: readonly string[];
}

export interface OciConfig {
  readonly ociVersion: string;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly mounts: readonly OciMount[];
  readonly linux: {
    readonly namespaces: readonly {
      readonly type: 'pid' | 'mount' | 'network' | 'uts' | 'ipc' | 'cgroup' | 'user';
      readonly path?: string;
      /** Of one with a path: it was made in the user namespace that is joined too, which has its rights. */
      readonly isOfUserNamespace?: boolean;
    }[];
    readonly resources: OciResources;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
    readonly sysctl: Readonly<Record<string, string>>;
    /** Undefined: unconfined. */
    readonly seccomp?: OciSeccomp;
    readonly devices: readonly {
      readonly path: string;
      readonly type: 'c' | 'b';
      readonly major: number;
      readonly minor: number;
      readonly fileMode: number;
    }[];
  };
}

export interface OciResources {
  readonly memory?: { readonly limit?: number; readonly reservation?: number; readonly swap?: number };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: {
    readonly weight?: number;
    readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
    readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
    readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
    readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
  };
  /** Evaluated last to first as the OCI specification says; by default all denied but the standard ones. */
  readonly devices: readonly {
    readonly allow: boolean;
    readonly type?: 'a' | 'b' | 'c';
    readonly major?: number;
    readonly minor?: number;
    readonly access?: string;
  }[];
}

export interface ThrottleDevice {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface OciSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly {
      readonly index: number;
      readonly value: number;
      readonly valueTwo?: number;
      readonly op: string;
    }[];
  }[];
}
