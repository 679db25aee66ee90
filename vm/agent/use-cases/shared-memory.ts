/**
 * POSIX shared memory of containers that let others join their IPC (`--ipc shareable`): a file system of the guest's, bound into each
 * of them. All others have one that nobody else can reach.
 */
import { mkdir, rm } from 'node:fs/promises';
import { EngineError } from '../../contract/errors.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { systemMounter } from '../volumes/mounter.ts';
import { containerPaths } from './parts.ts';
import type { Parts } from './parts.ts';
import { otherOf } from './shared-namespaces.ts';

/**
 * Mounts it, for a container that is about to start and shares its own.
 * @returns what is bound to /dev/shm; undefined: one of its own, or none. @throws EngineError `conflict`, in Docker's words, when it is
 * somebody's who does not share.
 */
export async function holdSharedMemory(
  parts: Pick<Parts, 'config' | 'store'>,
  record: ContainerRecord,
): Promise<string | undefined> {
  const owner = ownerOf(parts, record);
  const { IpcMode, ShmSize } = owner.hostConfig;
  if (IpcMode === 'host') return '/dev/shm';
  if (IpcMode !== 'shareable') {
    if (owner === record) return undefined;
    throw new EngineError(
      'conflict',
      `can't join IPC of container ${owner.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  }
  const folder = folderOf(parts, owner);
  if (owner === record) {
    await mkdir(folder, { recursive: true });
    await systemMounter.mount({ type: 'tmpfs', device: 'shm', options: `mode=1777,size=${ShmSize}` }, folder);
  }
  return folder;
}

/** Takes away what was there while the container ran. Others that joined keep the memory. */
export async function removeRunFolder(parts: Pick<Parts, 'config'>, record: ContainerRecord): Promise<void> {
  if (record.hostConfig.IpcMode === 'shareable') await systemMounter.unmount(folderOf(parts, record));
  await rm(containerPaths(parts.config, record.id).runDir, { recursive: true, force: true });
}

function ownerOf({ store }: Pick<Parts, 'store'>, record: ContainerRecord): ContainerRecord {
  const other = otherOf(record.hostConfig.IpcMode);
  return other === undefined ? record : ownerOf({ store }, store.find(other));
}

function folderOf({ config }: Pick<Parts, 'config'>, { id }: ContainerRecord): string {
  return `${containerPaths(config, id).runDir}/shm`;
}
