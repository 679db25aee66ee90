/** The files of one log, rotated while they are read: `<path>` is the newest, `<path>.1` the one before… */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

export interface LogFileHandle {
  readonly file: FileHandle;
  readonly inode: bigint;
}

const missing = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Opens all files, oldest first. Goes from the newest to older ones, so that a rotation meanwhile shows a file twice (and
 * is left out once) but never hides one.
 */
export async function openLogFiles(path: string): Promise<LogFileHandle[]> {
  const files: LogFileHandle[] = [];
  for (let number = 0; ; number += 1) {
    const handle = await openLogFile(path, number);
    if (handle === undefined) {
      if (number === 0) continue;
      return files.reverse();
    }
    if (files.some((known) => known.inode === handle.inode)) await handle.file.close();
    else files.push(handle);
  }
}

/** The file that follows this one, or undefined while this is the newest. */
export async function openNextLogFile(path: string, current: bigint): Promise<LogFileHandle | undefined> {
  const newer: LogFileHandle[] = [];
  try {
    for (let number = 0; ; number += 1) {
      const handle = await openLogFile(path, number);
      // A gap at 0 is a rotation half done; beyond the oldest, the current one has been rotated away.
      if (handle === undefined) {
        if (number === 0 && newer.length === 0) continue;
        return newer.pop();
      }
      if (handle.inode === current) {
        await handle.file.close();
        return newer.pop();
      }
      newer.push(handle);
    }
  } finally {
    for (const handle of newer) await handle.file.close();
  }
}

async function openLogFile(path: string, number: number): Promise<LogFileHandle | undefined> {
  try {
    const file = await open(number === 0 ? path : `${path}.${number}`, 'r');
    const { ino } = await file.stat({ bigint: true });
    return { file, inode: ino };
  } catch (error) {
    if (missing.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
