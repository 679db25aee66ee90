/** Layers mounted as one folder in the guest itself, for as long as somebody reads or fills it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorText, log } from '../log.ts';
import type { Parts } from './parts.ts';

const run = promisify(execFile);

export interface MergedRoot extends AsyncDisposable {
  /** An image's links lead anywhere: paths in it are to be followed with `resolveBeneath` only. */
  readonly folder: string;
}

/** Where what is written goes; both on one filesystem, which the layers need not be on. */
export interface Writable {
  readonly upperDir: string;
  readonly workDir: string;
}

/** `lowerDirs`: topmost first. Without `writable` the root is only for reading. */
export async function mountMerged(
  config: Parts['config'],
  lowerDirs: readonly string[],
  writable?: Writable,
): Promise<MergedRoot> {
  const [only] = lowerDirs;
  if (only !== undefined && lowerDirs.length === 1 && writable === undefined) {
    return { folder: only, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  await mkdir(mergedRoots(config), { recursive: true, mode: 0o700 });
  const place = await mkdtemp(`${mergedRoots(config)}/`);
  const root = path.join(place, 'root');
  try {
    await mkdir(root);
    // Short names, since the kernel takes one page of options; an empty folder below, since it wants at least two.
    await mkdir(path.join(place, 'empty'));
    const names = await Promise.all(
      lowerDirs.map(async (folder, index) => {
        await symlink(folder, path.join(place, String(index)));
        return String(index);
      }),
    );
    const lower = `lowerdir=${[...names, 'empty'].join(':')}`;
    const options =
      writable === undefined
        ? `ro,${lower}`
        : `${lower},upperdir=${writable.upperDir},workdir=${writable.workDir},redirect_dir=off`;
    await run('mount', ['-t', 'overlay', '-o', options, 'overlay', root], { cwd: place });
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    throw error;
  }
  return {
    folder: root,
    async [Symbol.asyncDispose]() {
      await run('umount', [root]);
      await rm(place, { recursive: true, force: true });
    },
  };
}

/** Takes down what an agent that died had mounted. */
export async function removeMergedRoots(config: Parts['config']): Promise<void> {
  const folder = mergedRoots(config);
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' ')[4] ?? '');
  for (const mount of mounts.filter((point) => point.startsWith(`${folder}/`))) {
    await run('umount', [mount]).catch((error: unknown) => log.warn(`umount ${mount}: ${errorText(error)}`));
  }
  const left = (await readFile('/proc/self/mountinfo', 'utf8')).includes(` ${folder}/`);
  if (!left) await rm(folder, { recursive: true, force: true });
}

function mergedRoots(config: Parts['config']): string {
  return `${config.runDir}/roots`;
}
