/** Makes the data disk ready: finds it, formats it when it is empty, mounts it, grows the filesystem to the disk. */
import { execFile } from 'node:child_process';
import { mkdir, open, readFile, realpath, stat, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorText, log } from '../log.ts';
import { dataLabel, inspectedBytes, recogniseDisk } from './signature.ts';

/** The disk cannot be used; the hint says what the user can do. Nothing on it was changed. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly hint: string;

  constructor(message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.hint = hint;
  }
}

/** `discard`: what is removed here is given back to the host, whose file is sparse (xfs(5)). */
const mountOptions = 'prjquota,noatime,nosuid,nodev,discard';
/** Growth below this is what formatting leaves unused at a disk's end. */
const minimumGrowthBytes = 16 * 1024 * 1024;
const run = promisify(execFile);

/** Mounts `device` at `target`, as an earlier agent may already have done. */
export async function mountDataDisk(device: string, target: string): Promise<void> {
  if (await isMounted(target)) return;
  await mkdir(target, { recursive: true });
  const disk = await realpath(device).catch((error: unknown) => {
    throw new DiskError('the VM has no data disk', 'restart the VM; if it stays so, see `wherry doctor`', {
      cause: error,
    });
  });
  const sizeBytes = await diskSize(disk);
  const content = await inspect(disk, sizeBytes);
  switch (content.kind) {
    case 'unknown':
      throw new DiskError(
        `the data disk holds ${content.description}, not Wherry's data; it was left untouched`,
        'attach the right disk, or move the disk file away to start with an empty one',
      );
    case 'empty':
    case 'half-formatted':
      await format(disk, content.kind === 'half-formatted');
      break;
    case 'ours':
      break;
  }
  await mount(disk, target);
  if (content.kind === 'ours' && sizeBytes - content.filesystemBytes >= minimumGrowthBytes) await grow(disk, target);
}

async function mount(disk: string, target: string): Promise<void> {
  await command('mount', ['-t', 'xfs', '-o', mountOptions, disk, target], (text) => ({
    message: `the data disk could not be mounted: ${text}`,
    hint: 'the disk may be damaged: look at `wherry logs vm`; its contents were not changed',
  }));
}

/** Sizes for the health answer. */
export async function dataDiskSpace(target: string): Promise<{ sizeBytes: number; freeBytes: number }> {
  const { blocks, bavail, bsize } = await statfs(target);
  return { sizeBytes: blocks * bsize, freeBytes: bavail * bsize };
}

/** Writes all out and unmounts; a busy disk is left to the kernel's own sync at power-off. */
export async function unmountDataDisk(target: string): Promise<void> {
  if (!(await isMounted(target))) return;
  await run('sync');
  await run('umount', [target]).catch((error: unknown) => log.warn(`the data disk stays mounted: ${errorText(error)}`));
}

async function isMounted(target: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[4] === target);
}

async function diskSize(disk: string): Promise<number> {
  const stats = await stat(disk);
  if (stats.isFile()) return stats.size;
  const sectors = await readFile(`/sys/class/block/${path.basename(disk)}/size`, 'utf8');
  return Number(sectors) * 512;
}

async function inspect(disk: string, sizeBytes: number): Promise<ReturnType<typeof recogniseDisk>> {
  const file = await open(disk, 'r');
  try {
    const head = await readAt(file, 0, Math.min(inspectedBytes, sizeBytes));
    return recogniseDisk(head, await readAt(file, Math.max(0, sizeBytes - inspectedBytes), head.length));
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) throw new Error(`the disk ends at ${position + filled}, before its stated size`);
    filled += bytesRead;
  }
  return buffer;
}

async function format(disk: string, force: boolean): Promise<void> {
  log.info(`formatting the empty data disk ${disk}`);
  const options = ['-q', '-L', dataLabel, '-m', 'reflink=1,crc=1', '-K', ...(force ? ['-f'] : []), disk];
  await command('mkfs.xfs', options, (text) => ({
    message: `the empty data disk could not be formatted: ${text}`,
    hint: 'give it at least 1 GB in the settings, and check the free space of the host',
  }));
}

/**
 * Until the log is written back, the new size is in it only, and a crash after something was put into the new room makes a disk that this
 * kernel cannot recover (as Linux a798011c8fd4 says of itself): unmounting writes it back, before anything else happens.
 */
async function grow(disk: string, target: string): Promise<void> {
  log.info('growing the filesystem to the data disk');
  try {
    await run('xfs_growfs', ['-d', target]);
  } catch (error) {
    // A disk that stays smaller than it could be is no reason not to start.
    log.warn(`the data disk did not grow: ${errorText(error)}`);
    return;
  }
  await run('umount', [target]);
  await mount(disk, target);
}

async function command(
  program: string,
  args: readonly string[],
  explain: (text: string) => { message: string; hint: string },
): Promise<void> {
  await run(program, [...args]).catch((error: unknown) => {
    const stderr = (error as { stderr?: string }).stderr?.trim() ?? '';
    const { message, hint } = explain(stderr === '' ? errorText(error) : stderr);
    throw new DiskError(message, hint, { cause: error });
  });
}
