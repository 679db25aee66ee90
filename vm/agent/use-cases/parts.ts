/** What the use cases of containers work with; built once by the composition root. */
import type { AgentConfig } from '../config.ts';
import type { EventFeed } from '../events.ts';
import type { ImageStore } from '../images.ts';
import type { NetworkRecord, NetworkService } from '../network/network.ts';
import type { FilesProgram } from '../runtime/files-program.ts';
import type { ContainerRuntime, OciSeccomp } from '../runtime/runtime.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import type { ContainerStore } from '../state/container-store.ts';
import type { VolumeStore } from '../volumes/volume-store.ts';
import type { ExecStore } from './exec-store.ts';
import type { LiveContainers } from './live-containers.ts';
import type { VolumeUse } from './volume-use.ts';

export interface Parts {
  readonly config: Pick<AgentConfig, 'dataDir' | 'runDir' | 'programsDir'>;
  /** What `host-gateway` stands for. */
  readonly hostGateway: string;
  readonly store: ContainerStore;
  readonly live: LiveContainers;
  readonly execs: ExecStore;
  readonly images: ImageStore;
  readonly volumes: VolumeStore;
  readonly volumeUse: VolumeUse;
  readonly runtime: ContainerRuntime;
  readonly files: FilesProgram;
  readonly network: NetworkService;
  readonly events: EventFeed;
  /** The default seccomp profile for these capabilities, or the user's own, given as JSON. */
  readonly seccompProfile: (json: string | undefined, capabilities: readonly string[]) => OciSeccomp | undefined;
  /** Writes the limits of a running container into its cgroup. */
  readonly applyLimits: (record: ContainerRecord) => Promise<void>;
  /** Docker's statistics of a cgroup and, for the network, of a process in it; undefined when it is gone. */
  readonly readStats: (cgroup: string, pid: number) => Promise<StatsSample | undefined>;
  /** An automatic restart that is due: `restart-container.ts`, handed in because starting and ending need each other. */
  readonly restartNow: (id: string) => Promise<void>;
}

/** Docker's statistics of one moment, but for what `container-stats.ts` adds: names and the sample before. */
export interface StatsSample {
  readonly read: string;
  readonly cpu_stats: object;
}

/** Files and folders of a container. */
export function containerPaths(config: Pick<AgentConfig, 'dataDir' | 'runDir'>, id: string) {
  const dir = `${config.dataDir}/containers/${id}`;
  return {
    dir,
    exitRecord: `${dir}/exit.json`,
    log: `${dir}/log/container.log`,
    hostname: `${dir}/hostname`,
    hosts: `${dir}/hosts`,
    resolvConf: `${dir}/resolv.conf`,
    /** Volatile; the monitor's socket is in it. */
    runDir: `${config.runDir}/c/${id}`,
    cgroup: `wherry/${id}`,
  };
}

/** Publishes a container's event with the attributes that Docker gives. */
export function publishContainerEvent(
  parts: Pick<Parts, 'events'>,
  record: ContainerRecord,
  action: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  const attributes = { ...record.config.Labels, image: record.config.Image, name: record.name, ...extra };
  parts.events.publish('container', action, record.id, attributes);
}

/** Publishes what a container does with its volumes, each by the attributes that Docker gives. */
export function publishVolumeEvents(
  parts: Pick<Parts, 'events'>,
  { id, mounts }: ContainerRecord,
  action: 'mount' | 'unmount',
): void {
  for (const { Type, Name, Driver = 'local', Destination, RW, Propagation } of mounts) {
    if (Type !== 'volume' || Name === undefined) continue;
    const how = { destination: Destination, propagation: Propagation, 'read/write': String(RW) };
    parts.events.publish('volume', action, Name, {
      ...{ container: id, driver: Driver },
      ...(action === 'mount' ? how : {}),
    });
  }
}

/** Publishes a network's event; `containerId` of those that are about a container. */
export function publishNetworkEvent(
  parts: Pick<Parts, 'events'>,
  { id, name, driver }: NetworkRecord,
  action: 'create' | 'destroy' | 'connect' | 'disconnect',
  containerId?: string,
): void {
  const attributes = { ...(containerId === undefined ? {} : { container: containerId }), name, type: driver };
  parts.events.publish('network', action, id, attributes);
}
