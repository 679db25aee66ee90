/** Opens a path inside a folder that others may change at the same time: no symbolic link is followed, nothing leads out. */
import { execFile } from 'node:child_process';
import { constants, mkdir, open, readdir, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorText, log } from '../log.ts';
import { systemMounter } from '../volumes/mounter.ts';

const run = promisify(execFile);

export type Undo = () => Promise<void>;

/** On tmpfs, and not in a folder that is ever deleted as a whole: what is bound here must not be. */
export function subpathsFolder(runDir: string): string {
  return `${runDir}/subpaths`;
}

/** Rejects with the kernel's error (`ELOOP`, `ENOTDIR` for links). The caller closes it. `inside` has no `..`. */
export async function openBeneath(root: string, inside: string): Promise<FileHandle> {
  const names = inside.split('/').filter((name) => name !== '' && name !== '.');
  let handle = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    // By the descriptor, so that each step begins where the last one really ended.
    const next = open(`/proc/self/fd/${handle.fd}/${name}`, isLast ? flags : flags | constants.O_DIRECTORY);
    handle = await next.finally(() => handle.close());
  }
  return handle;
}

/** Binds what is open to `place`, which it makes and returns; `held` gets the undo. */
export async function bindHandle(handle: FileHandle, place: string, held: Undo[]): Promise<string> {
  const isFolder = (await handle.stat()).isDirectory();
  await mkdir(place.slice(0, place.lastIndexOf('/')), { recursive: true, mode: 0o700 });
  await removePlace(place);
  await (isFolder ? mkdir(place) : writeFile(place, ''));
  held.push(() => removePlace(place));
  await run('mount', ['-o', 'bind', `/proc/${process.pid}/fd/${handle.fd}`, place]);
  // A mount(8) that turns the descriptor into a path first could have been led elsewhere.
  const [wanted, bound] = await Promise.all([handle.stat(), stat(place)]);
  if (wanted.ino === bound.ino && wanted.dev === bound.dev) return place;
  throw new Error(`bind ${place}: it is another file`);
}

/** Last in, first out; what fails is logged, for the work itself is done. */
export async function undoAll(held: Undo[]): Promise<void> {
  for (const undo of held.reverse()) await undo().catch((error: unknown) => log.warn(`clean up: ${errorText(error)}`));
}

/** What an agent that died in a start has left bound. */
export async function removeBoundSubpaths(runDir: string): Promise<void> {
  const folder = subpathsFolder(runDir);
  for (const name of await readdir(folder).catch(() => [] as string[])) {
    await removePlace(`${folder}/${name}`).catch((error: unknown) => log.warn(`unbind ${name}: ${errorText(error)}`));
  }
}

/** Never recursive. */
async function removePlace(place: string): Promise<void> {
  await systemMounter.unmount(place);
  await rmdir(place).catch(async (error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') await unlink(place);
    else if (code !== 'ENOENT') throw error;
  });
}
