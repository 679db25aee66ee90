/** The empty `/.dockerenv` that programs look for to know that they are in a container. */
import { open } from 'node:fs/promises';
import path from 'node:path';

/** One that is there already (an image's own, whatever it is) stays. */
export async function markAsContainer(root: string, ownerId: number): Promise<void> {
  try {
    await using file = await open(path.join(root, '.dockerenv'), 'wx', 0o755);
    await file.chown(ownerId, ownerId);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
