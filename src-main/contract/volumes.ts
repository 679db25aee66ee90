/** View types of volumes. */
import type { ContainerState } from './engine.ts';

/** A container that mounts a volume, running or not. */
export interface VolumeUser {
  readonly id: string;
  readonly name: string;
  readonly state: ContainerState;
  /** Where in the container. */
  readonly path: string;
  readonly readOnly: boolean;
}

export interface VolumeView {
  readonly name: string;
  readonly driver: string;
  /** In the guest. */
  readonly mountpoint: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Nobody gave it a name: made for one container, and of no use to anybody once that is gone. */
  readonly anonymous: boolean;
  readonly usedBy: readonly VolumeUser[];
}
