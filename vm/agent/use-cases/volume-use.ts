/** Volumes in use by running containers: what their options name is mounted with the first and unmounted after the last. */
import { randomUUID } from 'node:crypto';
import { errorText, log } from '../log.ts';
import type { MountPoint } from '../state/container-record.ts';
import type { Mounter } from '../volumes/mounter.ts';
import { mountOf } from '../volumes/volume-options.ts';
import type { VolumeStore } from '../volumes/volume-store.ts';
import { Mutex } from './mutex.ts';

type Named = Pick<MountPoint, 'Name'>;

export class VolumeUse {
  private readonly volumes: VolumeStore;
  private readonly mounter: Mounter;
  private readonly usersOf = new Map<string, Set<string>>();
  /** One change at a time: a first user must not meet the last one's unmounting. */
  private readonly lock = new Mutex();

  constructor(volumes: VolumeStore, mounter: Mounter) {
    this.volumes = volumes;
    this.mounter = mounter;
  }

  /** For a container about to start, or found running. Throws when something cannot be mounted; `release` undoes it. */
  async acquire({ id, mounts }: { readonly id: string; readonly mounts: readonly Named[] }): Promise<void> {
    for (const name of names(mounts)) {
      const volume = await this.volumes.ensure(name);
      const mount = mountOf(volume.options);
      await this.lock.run(async () => {
        if (mount !== undefined) await this.mounter.mount(mount, volume.mountpoint);
        const users = this.usersOf.get(name) ?? new Set();
        this.usersOf.set(name, users.add(id));
      });
    }
  }

  /** Never rejects: what cannot be unmounted is unmounted with the volume's removal, or stops that. */
  async release(containerId: string): Promise<void> {
    for (const [name, users] of this.usersOf) {
      if (users.has(containerId)) await this.lock.run(() => this.releaseOne(name, users, containerId));
    }
  }

  /**
   * While files are worked on without a container: what the options name is mounted.
   * @param how `copy`: the volume is not removed meanwhile; a `look` is short, and does not stand in the way.
   */
  async hold<Result>(name: string, how: 'copy' | 'look', work: () => Promise<Result>): Promise<Result> {
    const holder = `${how} ${randomUUID()}`;
    this.volumes.find(name);
    try {
      await this.acquire({ id: holder, mounts: [{ Name: name }] });
      return await work();
    } finally {
      await this.release(holder);
    }
  }

  isBeingCopied(name: string): boolean {
    return [...(this.usersOf.get(name) ?? [])].some((user) => user.startsWith('copy '));
  }

  /** At the agent's start, when all that run have acquired: what a dead agent left mounted. */
  async unmountUnused(): Promise<void> {
    for (const volume of this.volumes.all()) {
      if (mountOf(volume.options) !== undefined && !this.usersOf.has(volume.name))
        await this.unmount(volume.mountpoint);
    }
  }

  private async releaseOne(name: string, users: Set<string>, containerId: string): Promise<void> {
    users.delete(containerId);
    if (users.size > 0) return;
    this.usersOf.delete(name);
    const volume = this.volumes.all().find((one) => one.name === name);
    if (volume !== undefined && mountOf(volume.options) !== undefined) await this.unmount(volume.mountpoint);
  }

  private async unmount(mountpoint: string): Promise<void> {
    await this.mounter.unmount(mountpoint).catch((error: unknown) => {
      log.warn(`unmount ${mountpoint}: ${errorText(error)}`);
    });
  }
}

function names(mounts: readonly Named[]): string[] {
  return mounts.flatMap(({ Name }) => (Name === undefined ? [] : [Name]));
}
