/** View types of images and containers: what the window shows, already parsed from the Engine API. */

export interface ImageView {
  /** `sha256:…` */
  readonly id: string;
  /** `name:tag` forms; empty for an untagged image. */
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** Of that, in layers that other images have too; absent when the engine did not say. */
  readonly sharedBytes?: number;
  readonly createdAtMs: number;
  /** Names of the containers made from it. */
  readonly usedBy: readonly string[];
}

export interface ImageDetails extends ImageView {
  readonly architecture: string;
  readonly os: string;
  readonly command: readonly string[];
  readonly entrypoint: readonly string[];
  readonly environment: readonly string[];
  /** As declared: `80/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly user: string;
  readonly workingFolder: string;
  readonly history: readonly HistoryStep[];
}

/** One instruction of an image, oldest first. */
export interface HistoryStep {
  readonly createdBy: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly empty: boolean;
  /** Other images here that have its layer, as their names or ids; absent when nobody can tell. */
  readonly sharedWith?: readonly string[];
}

export interface BuildRequest {
  /** Empty: the image has no name. */
  readonly reference: string;
  /** In the folder: `Dockerfile`, `docker/Dockerfile.dev`. */
  readonly dockerfile: string;
  /** A stage's name; empty: the last. */
  readonly target: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  readonly pull: boolean;
  /** Of the archive. */
  readonly sizeBytes: number;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface PortView {
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
  /** Absent when the port is exposed but not published. */
  readonly hostIp?: string;
  readonly hostPort?: number;
}

export type ContainerHealth = 'starting' | 'healthy' | 'unhealthy';

export interface ContainerView {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly command: string;
  readonly state: ContainerState;
  /** Absent when it has no health check or does not run. */
  readonly health?: ContainerHealth;
  /** Docker's own words: `Up 3 minutes`, `Exited (0) 2 hours ago`. */
  readonly status: string;
  readonly createdAtMs: number;
  readonly ports: readonly PortView[];
  readonly labels: Readonly<Record<string, string>>;
}

/** What can be changed of an existing container; always all of it. */
export interface ContainerEdit {
  /** Empty: the image's own. */
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly ports: readonly {
    readonly containerPort: number;
    readonly protocol: 'tcp' | 'udp';
    /** 0: the engine picks a free one. */
    readonly hostPort: number;
    /** Empty: every address. */
    readonly hostIp: string;
  }[];
  readonly mounts: readonly MountEdit[];
  /** 0 is no limit, here and in the next two. */
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pidsLimit: number;
  readonly restartPolicy: 'no' | 'always' | 'unless-stopped' | 'on-failure';
}

export interface MountEdit {
  readonly type: 'bind' | 'volume';
  /** A folder in the VM, or a volume's name. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface EditResult {
  /** Of the container that now has the name. */
  readonly id: string;
  /** A new container was made; the old one is kept until the edit is accepted. */
  readonly recreated: boolean;
  readonly warnings: readonly string[];
}

/** As `ps` prints them: a title for each column, and rows of as many words. */
export interface ProcessList {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface ContainerDetails extends ContainerView {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** The engine's message when a start failed. */
  readonly error: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly tty: boolean;
  readonly environment: readonly string[];
  readonly workingFolder: string;
  readonly user: string;
  readonly restartPolicy: string;
  readonly ipAddress: string;
  /** As it is now, in the terms of `containers.edit`. */
  readonly editable: ContainerEdit;
  /** The whole `GET /containers/{id}/json` answer, for the inspect view. */
  readonly raw: unknown;
}

/** What a container used in one second. */
export interface StatsSample {
  readonly timeMs: number;
  /** 100 is one whole CPU. */
  readonly cpuPercent: number;
  /** Without the page cache that can be dropped at once, as the docker command counts. */
  readonly memoryBytes: number;
  /** The container's limit, or the machine's memory. */
  readonly memoryLimitBytes: number;
  readonly receivedPerS: number;
  readonly sentPerS: number;
  readonly readPerS: number;
  readonly writtenPerS: number;
  readonly processes: number;
}

export interface ContainerSamples {
  readonly id: string;
  readonly samples: readonly StatsSample[];
}

export interface RunRequest {
  readonly image: string;
  readonly name?: string;
  /** Empty or absent: the image's own. */
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: readonly string[];
  /** hostPort 0 or absent: the engine picks a free one. hostIp absent: loopback. */
  readonly ports?: readonly {
    readonly containerPort: number;
    readonly protocol: 'tcp' | 'udp';
    readonly hostPort?: number;
    readonly hostIp?: string;
  }[];
  readonly memoryBytes?: number;
  readonly cpus?: number;
  readonly pidsLimit?: number;
  readonly restartPolicy?: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  readonly tty?: boolean;
  readonly removeWhenStopped?: boolean;
  /** A volume by its name (made when it is not there). */
  readonly volumes?: readonly { readonly name: string; readonly path: string; readonly readOnly: boolean }[];
  /** Name of the network to join; absent: the default one. */
  readonly network?: string;
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds, as the engine wrote it. */
  readonly time: string;
  /** Without the line end; may hold ANSI sequences. */
  readonly text: string;
}

export interface TerminalView {
  readonly id: string;
  readonly containerId: string;
  readonly containerName: string;
  readonly command: string;
  readonly title: string;
  readonly state: 'open' | 'ended';
  readonly exitCode?: number;
}

/** One entry of the engine's event feed. */
export interface EngineEvent {
  readonly type: string;
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeNano: number;
}
