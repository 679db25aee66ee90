/**
 * What the rest of the agent may ask of the image store (registry, content and snapshots behind it).
 */
import type { RootFilesystem } from './runtime/runtime.ts';
import type { DiskLimit, RootOptions } from './snapshots/snapshotter.ts';

/** The parts of an OCI image configuration that containers use. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly created?: string;
  readonly config: {
    readonly User?: string;
    readonly ExposedPorts?: Readonly<Record<string, object>>;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Volumes?: Readonly<Record<string, object>>;
    readonly WorkingDir?: string;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly StopSignal?: string;
    readonly Healthcheck?: unknown;
    readonly Shell?: readonly string[];
  };
}

export interface ResolvedImage {
  /** `sha256:…` of the image configuration. */
  readonly id: string;
  /** The image configuration, parsed. */
  readonly config: ImageConfig;
  /** DiffIDs, lowest first. */
  readonly layers: readonly string[];
}

/** A container's use of an image, so that it is not removed beneath it. */
export interface ImageUser {
  readonly containerId: string;
  readonly imageId: string;
  readonly running: boolean;
}

export interface ImageStore {
  /** By name, name:tag, name@digest, id or unique id prefix. Rejects with `not-found`: `No such image: x:latest`. */
  resolve(reference: string): Promise<ResolvedImage>;
  /** Makes the container's writable layer. Idempotent. */
  prepareRoot(containerId: string, image: ResolvedImage, options: RootOptions): Promise<RootFilesystem>;
  /** Of a root that was prepared with a limit. */
  setLimit(limit: DiskLimit): Promise<void>;
  /** Removes the writable layer; succeeds when there is none. */
  removeRoot(containerId: string): Promise<void>;
  /** Bytes used by the writable layer. */
  rootSize(containerId: string): Promise<number>;
}
