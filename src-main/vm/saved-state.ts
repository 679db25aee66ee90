/**
 * `sleep.state`, a VM's saved state, and `sleep.json`, which says to what it fits. The second is what makes the first count: it is
 * written last and removed first, so that a crash at any moment leaves a state that is whole, or none.
 */
import { rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readIfThere, syncFolder, writeDurably } from '../durable-file.ts';
import type { HomePaths } from '../home.ts';
import type { StateFile } from './backend.ts';

/** What a VM that sleeps is, to the user. */
export const asleepWords = 'asleep: its state is on the disk, and any docker command or published port wakes it';

type Places = Pick<HomePaths['vm'], 'savedState' | 'savedRecord' | 'dataDisk'>;

/** The data disk at one moment: it differs after any write to it, and in a copy. Decimal; nanoseconds since 1970. */
const diskSchema = z.object({
  sizeBytes: z.string(),
  inode: z.string(),
  modifiedNs: z.string(),
  changedNs: z.string(),
});
export type DiskMark = z.infer<typeof diskSchema>;

const recordSchema = z.object({
  version: z.literal(1),
  backend: z.enum(['qemu', 'hyperv']),
  accelerator: z.enum(['hvf', 'whpx', 'kvm', 'tcg', 'hyperv']),
  cpus: z.number(),
  memoryMiB: z.number(),
  imageId: z.string(),
  /** See `VmBackend.fingerprint`. */
  fingerprint: z.string(),
  disk: diskSchema,
  state: z.object({ sizeBytes: z.number(), checksum: z.number() }),
  savedAtMs: z.number(),
});
export type SavedRecord = z.infer<typeof recordSchema>;

/** What a saved state is held against. */
export type Binding = Pick<SavedRecord, 'backend' | 'imageId' | 'fingerprint' | 'disk'>;

/** What no longer fits, in words, or undefined when the state may run on. */
export function mismatch(saved: Binding, present: Binding): string | undefined {
  if (saved.backend !== present.backend) return `it was saved by ${saved.backend}, not ${present.backend}`;
  if (saved.imageId !== present.imageId) return 'the system image has changed since';
  if (saved.fingerprint !== present.fingerprint)
    return 'the virtual machine program, its arguments or this computer has changed since';
  const { disk } = saved;
  const keys = ['sizeBytes', 'inode', 'modifiedNs', 'changedNs'] as const;
  return keys.every((key) => disk[key] === present.disk[key]) ? undefined : 'the data disk has changed since';
}

export async function markDisk(file: string): Promise<DiskMark> {
  const { size, ino, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return { sizeBytes: `${size}`, inode: `${ino}`, modifiedNs: `${mtimeNs}`, changedNs: `${ctimeNs}` };
}

/** Undefined when there is none that is whole. */
export async function readSaved(places: Places): Promise<SavedRecord | undefined> {
  const text = await readIfThere(places.savedRecord);
  if (text === undefined) return undefined;
  try {
    const record = recordSchema.parse(JSON.parse(text));
    const { size } = await stat(places.savedState);
    return size === record.state.sizeBytes ? record : undefined;
  } catch {
    // From another version, damaged, or without its state: the VM boots.
    return undefined;
  }
}

/** Where a state is written before it counts. */
export function partialState(places: Places): string {
  return `${places.savedState}.part`;
}

/** From now on the state counts. */
export async function commitSaved(places: Places, state: StateFile, record: SavedRecord): Promise<void> {
  await rename(state.path, places.savedState);
  await writeDurably(places.savedRecord, `${JSON.stringify(record, null, 2)}\n`);
}

/** From now on the state does not count, also after a crash of the host. */
export async function voidSaved(places: Places): Promise<void> {
  await rm(places.savedRecord, { force: true });
  await syncFolder(path.dirname(places.savedRecord));
}

/** There is none any more. */
export async function dropSaved(places: Places): Promise<void> {
  await voidSaved(places);
  await removeStates(places);
}

/** Of states that do not count. Giving so much room back takes its time. */
export async function removeStates(places: Places): Promise<void> {
  for (const file of [places.savedState, partialState(places)]) await rm(file, { force: true });
}
