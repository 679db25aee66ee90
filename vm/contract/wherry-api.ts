/**
 * What Docker has no word for, between the host and the agent: `/wherry/v1/…` on the engine's socket.
 * All bodies are JSON; streams are newline-delimited JSON.
 */

/** `GET /wherry/v1/health`: each stage probed now, not remembered. */
export interface GuestHealth {
  readonly agent: {
    readonly version: string;
    readonly pid: number;
    readonly startedAtMs: number;
    readonly instanceId: string;
  };
  readonly disk: StageHealth & { readonly sizeBytes?: number; readonly freeBytes?: number };
  readonly network: StageHealth;
  readonly engine: StageHealth;
}

export interface StageHealth {
  readonly state: 'starting' | 'ok' | 'failed';
  /** What failed or is being done; empty when ok. */
  readonly detail: string;
  readonly hint?: string;
}

/**
 * `POST /wherry/v1/ports` with `Connection: Upgrade, Upgrade: tcp`: the agent answers `101`, then both sides send one
 * JSON object a line. The host must keep one open while it is attached; with none open, wanted ports wait.
 *
 * On connect the agent first sends `sync` with every port now wanted; the host makes its forwards exactly that.
 * Then each `add`/`remove` is answered by `done` with the same id.
 */
export type PortMessageToHost =
  | { readonly kind: 'sync'; readonly id: number; readonly ports: readonly WantedPort[] }
  | { readonly kind: 'add'; readonly id: number; readonly port: WantedPort }
  | { readonly kind: 'remove'; readonly id: number; readonly port: WantedPort };

export type PortMessageToGuest =
  /** `failed` lists those of a sync (or the one of an add) that could not be bound. */
  { readonly kind: 'done'; readonly id: number; readonly failed: readonly FailedPort[] };

export interface WantedPort {
  readonly protocol: 'tcp' | 'udp';
  /** Address on the host; `127.0.0.1` when the user gave none. */
  readonly hostIp: string;
  readonly hostPort: number;
  /** Where the host sends it: a port of the guest's own address, which nftables passes on to the container. */
  readonly guestPort: number;
  readonly containerId: string;
}

export interface FailedPort {
  readonly port: WantedPort;
  /** `taken` lets the agent try another when the user left the choice to it. */
  readonly reason: 'taken' | 'forbidden' | 'other';
  /** For the user, naming the port and, where known, who holds it. */
  readonly message: string;
}

/**
 * `GET /wherry/v1/containers/{id}/files?path=…` and `GET /wherry/v1/volumes/{name}/files?path=…`: one folder, whether the container runs or not. Rejected: the archive endpoint,
 * which packs all that is below, and `ls` in the container, which must run and have one.
 */
export interface FolderFiles {
  /** In no order. */
  readonly entries: readonly {
    readonly name: string;
    /** `st_mode`, with the type's bits. */
    readonly mode: number;
    readonly sizeBytes: number;
    readonly modifiedAtMs: number;
    /** What a symbolic link says, else empty. */
    readonly target: string;
  }[];
  /** There are more than are told. */
  readonly more: boolean;
}

/**
 * `GET` and `PUT /wherry/v1/volumes/{name}/archive?path=…` are what Docker's archive of a container is, with the same headers.
 * `GET /wherry/v1/volumes/{name}/export` sends all of it as an archive; `POST /wherry/v1/volumes/{name}/import` makes a volume
 * of one, or none when it fails.
 */

/** `GET /wherry/v1/volumes/{name}/usage` */
export interface VolumeUsage {
  /** Of its files, as long as they are. */
  readonly sizeBytes: number;
}

/**
 * `POST /wherry/v1/volumes/{name}/clone` `{ name }`: a new volume with what is in this one, told a line at a time. A failure after
 * the first line is the last line.
 */
export type VolumeCloneMessage =
  | { readonly kind: 'progress'; readonly files: number; readonly bytes: number; readonly totalBytes: number }
  | {
      readonly kind: 'done';
      readonly files: number;
      readonly bytes: number;
      /** Of these, what takes no room of its own. */
      readonly sharedBytes: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** Of a name in a layer; `unchanged` is a folder that is only there for what is in it. */
export const layerChanges = ['unchanged', 'added', 'modified', 'deleted'] as const;
export type LayerChange = (typeof layerChanges)[number];

/** Files, not folders. */
export interface LayerSums {
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  /** Of what is added and modified. */
  readonly sizeBytes: number;
  readonly deletedBytes: number;
}

/**
 * `GET /wherry/v1/images/{name}/layers`: what each layer does to the files of those below, from the bottom. A file of several
 * names counts at one of them.
 */
export interface ImageLayers {
  readonly layers: readonly LayerSums[];
  /** Versions of files that a later layer replaces or removes: they are kept and sent, and never seen. */
  readonly wasted: {
    readonly files: number;
    readonly sizeBytes: number;
    /** The first of them, largest first. */
    readonly largest: readonly {
      /** From the root, without a slash before it. */
      readonly path: string;
      readonly sizeBytes: number;
      /** Indexes in `layers`: which brings it, and which hides it. */
      readonly layer: number;
      readonly by: number;
      readonly removed: boolean;
    }[];
  };
}

/** `GET /wherry/v1/images/{name}/layers/files?layer=…&path=…`: one folder, as one layer (an index) changes it. */
export interface LayerFolder {
  /** In no order; the largest, when there are more. */
  readonly entries: readonly (LayerSums & {
    readonly name: string;
    /** `st_mode`, with the type's bits; of what is deleted, as it was. */
    readonly mode: number;
    readonly change: LayerChange;
  })[];
  /** So many more are not told. */
  readonly more: number;
}

/** `GET /wherry/v1/images/{name}/layers/search?text=…`: names with it in them, whatever the case; paths, when it has a slash. */
export interface LayerHits {
  /** By layer, from the bottom. */
  readonly hits: readonly {
    readonly path: string;
    readonly layer: number;
    readonly mode: number;
    readonly change: LayerChange;
    readonly sizeBytes: number;
  }[];
  /** There are more than are told. */
  readonly more: boolean;
}

/**
 * `GET /wherry/v1/registries/tags?name=…` (an image's name) and `GET /wherry/v1/registries/repositories?server=…`, with a login
 * in `X-Registry-Auth`: what a registry has, which Docker has no word for.
 */
export interface RegistryNames {
  /** In the registry's order. */
  readonly names: readonly string[];
  /** There are more than are told. */
  readonly more: boolean;
}

/** `POST /wherry/v1/shutdown`: stops containers (deadline in the query, `timeoutSeconds`), syncs, powers off. 202. */
/** `POST /wherry/v1/clock` `{ nowMs }`: sets the guest's clock (after host sleep). 204. */
/**
 * `POST /wherry/v1/sleep?idle=…`, before the VM is halted and saved: writes all out and drops caches, which makes the state small. 204;
 * 409 when a transfer is under way, with `idle` also when there is any request or shell. `POST /wherry/v1/wake` `{ nowMs, entropy }`
 * (Base64), after it was restored: sets the clock, stirs the random numbers. 204.
 */
/** The seed disk's `seed.json`; see `vm/image/README.md`. */
export interface Seed {
  readonly version: 1;
  /** Made once per VM; a changed id means another VM's disk. */
  readonly instanceId: string;
  readonly hostname: string;
  readonly clockMs: number;
  /** Address under which the guest reaches the host's loopback. */
  readonly hostGateway: string;
  readonly network:
    | { readonly mode: 'static'; readonly address: string; readonly gateway: string; readonly dns: readonly string[] }
    | { readonly mode: 'dhcp' };
  /** `host` or `host:port`: plain HTTP and unverified certificates will do there. */
  readonly insecureRegistries?: readonly string[];
  /** The same form: asked before the default registry, in this order. */
  readonly registryMirrors?: readonly string[];
  /** Where networks without a subnet get one, of this prefix length; in this order. Absent or empty: Docker's defaults. */
  readonly addressPools?: readonly { readonly base: string; readonly size: number }[];
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly no?: string };
}

/** Fixed paths in the guest. */
export const guestPaths = {
  engineSocket: '/run/wherry/docker.sock',
  seed: '/run/wherry/seed',
  run: '/run/wherry',
  data: '/var/lib/wherry',
  programs: '/usr/lib/wherry',
  starter: '/usr/share/wherry/starter',
  dataDisk: '/dev/disk/wherry/data',
} as const;
