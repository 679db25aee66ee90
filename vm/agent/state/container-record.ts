/** What the agent remembers of a container. Field names of `config` and `hostConfig` are the Engine API's own. */

/** `Config` of the Engine API, defaults of the image merged in. */
export interface ContainerConfig {
  readonly Hostname: string;
  readonly Domainname: string;
  readonly User: string;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly StdinOnce: boolean;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[] | null;
  readonly Healthcheck?: Healthcheck;
  /** The reference as the user gave it. */
  readonly Image: string;
  readonly Volumes: Readonly<Record<string, object>> | null;
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[] | null;
  readonly NetworkDisabled?: boolean;
  readonly OnBuild: null;
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  /** Seconds. */
  readonly StopTimeout?: number;
  readonly Shell?: readonly string[];
}

/** Times in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** State of a health check, as inspect shows it. */
export interface Health {
  readonly Status: 'starting' | 'healthy' | 'unhealthy';
  /** Failures in a row. */
  readonly FailingStreak: number;
  /** The last few, oldest first. */
  readonly Log: readonly HealthResult[];
}

export interface HealthResult {
  readonly Start: string;
  readonly End: string;
  /** -1: it could not be run, or took too long. */
  readonly ExitCode: number;
  readonly Output: string;
}

export type RestartPolicyName = 'no' | 'always' | 'unless-stopped' | 'on-failure';

export interface Device {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

export interface ThrottleRule {
  readonly Path: string;
  readonly Rate: number;
}

export interface MountRequest {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
  };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly Subpath?: string;
    readonly DriverConfig?: { readonly Name: string; readonly Options: Readonly<Record<string, string>> };
  };
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number };
}

/** `HostConfig` of the Engine API; what it lacks is not supported and was ignored. */
export interface HostConfig {
  readonly Binds: readonly string[] | null;
  readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  readonly NetworkMode: string;
  readonly PortBindings: Readonly<
    Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
  >;
  readonly RestartPolicy: { readonly Name: RestartPolicyName; readonly MaximumRetryCount: number };
  readonly AutoRemove: boolean;
  readonly VolumesFrom: readonly string[] | null;
  readonly ConsoleSize: readonly [number, number];
  readonly CapAdd: readonly string[] | null;
  readonly CapDrop: readonly string[] | null;
  readonly CgroupnsMode: string;
  readonly Dns: readonly string[];
  readonly DnsOptions: readonly string[];
  readonly DnsSearch: readonly string[];
  readonly ExtraHosts: readonly string[] | null;
  readonly GroupAdd: readonly string[] | null;
  /** `container:alias`, on the default network; missing in records of older versions. */
  readonly Links?: readonly string[] | null;
  readonly IpcMode: string;
  readonly OomScoreAdj: number;
  readonly PidMode: string;
  readonly Privileged: boolean;
  readonly PublishAllPorts: boolean;
  readonly ReadonlyRootfs: boolean;
  readonly SecurityOpt: readonly string[] | null;
  readonly UTSMode: string;
  readonly UsernsMode: string;
  readonly ShmSize: number;
  readonly CpuShares: number;
  readonly Memory: number;
  readonly NanoCpus: number;
  readonly BlkioWeight: number;
  readonly BlkioDeviceReadBps: readonly ThrottleRule[] | null;
  readonly BlkioDeviceWriteBps: readonly ThrottleRule[] | null;
  readonly BlkioDeviceReadIOps: readonly ThrottleRule[] | null;
  readonly BlkioDeviceWriteIOps: readonly ThrottleRule[] | null;
  readonly CpuPeriod: number;
  readonly CpuQuota: number;
  readonly CpusetCpus: string;
  readonly CpusetMems: string;
  readonly Devices: readonly Device[];
  readonly DeviceCgroupRules: readonly string[] | null;
  readonly MemoryReservation: number;
  /** Memory and swap together; 0: twice the memory, -1: unlimited. */
  readonly MemorySwap: number;
  readonly PidsLimit: number | null;
  readonly Ulimits: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
  readonly Mounts: readonly MountRequest[];
  readonly Tmpfs: Readonly<Record<string, string>>;
  readonly Sysctls: Readonly<Record<string, string>>;
  /** For whoever reads them: nothing here does. */
  readonly Annotations?: Readonly<Record<string, string>>;
  /** `size`: what the container may write, as given. Missing without. */
  readonly StorageOpt?: Readonly<Record<string, string>>;
  readonly Init: boolean | null;
  readonly MaskedPaths: readonly string[] | null;
  readonly ReadonlyPaths: readonly string[] | null;
}

/** What was asked of a network, by its name as given. */
export interface EndpointRequest {
  readonly aliases: readonly string[];
  readonly address?: string;
  /** Of IPv6. */
  readonly address6?: string;
  readonly mac?: string;
  /** `container:alias`: names that only this container knows others by. */
  readonly links?: readonly string[];
}

/** A mount as inspect shows it (`Mounts`) and as the runtime gets it. */
export interface MountPoint {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  /** Only this of the volume. */
  readonly Subpath?: string;
  /** Only volumes. */
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerState {
  readonly status: ContainerStatus;
  /** 0 when not running. */
  readonly pid: number;
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  /** RFC 3339 with nanoseconds; {@link never} when it has not happened. */
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** Docker's way to say that something has not happened. */
export const never = '0001-01-01T00:00:00Z';

export interface ContainerRecord {
  /** 64 hex digits. */
  readonly id: string;
  /** Without the leading slash; unique. */
  readonly name: string;
  readonly createdAt: string;
  /** `sha256:…`. */
  readonly imageId: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
  readonly mounts: readonly MountPoint[];
  /** Number of the user-namespace range; undefined without a user namespace. */
  readonly idSlot: number | undefined;
  /** What its files count for on the data disk, from 1; only where their size is limited. */
  readonly diskProject?: number;
  readonly state: ContainerState;
  /** Missing when the container has no check or has never run. */
  readonly health?: Health;
  readonly restartCount: number;
  /** Stopped by the user since its last start: `unless-stopped` leaves it so. */
  readonly manuallyStopped: boolean;
  /** Belongs to a build that is under way: of no more use when its agent ends. */
  readonly isBuildStep?: boolean;
}

/** A state with a live process. */
export function isRunning(record: ContainerRecord): boolean {
  return record.state.status === 'running' || record.state.status === 'paused';
}
