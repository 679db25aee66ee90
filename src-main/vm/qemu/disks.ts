/** The data disk: qcow2, sparse, grown and never shrunk. */
import { execFile } from 'node:child_process';
import { access, chmod, rename, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import type { PreparedDisk } from '../backend.ts';

const run = promisify(execFile);
const infoSchema = z.object({ format: z.string(), 'virtual-size': z.number() });

/** Creates the disk, or grows it to `sizeBytes`. Its content is never touched. */
export async function prepareQcow2(
  img: string,
  file: string,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<PreparedDisk> {
  if (!(await exists(file))) {
    await create(img, file, sizeBytes, signal);
    return { created: true, grown: false, sizeBytes };
  }
  const present = await sizeOf(img, file, signal);
  if (present >= sizeBytes) return { created: false, grown: false, sizeBytes: present };
  await qemuImg(img, ['resize', '-f', 'qcow2', file, String(sizeBytes)], `grow ${file}`, signal);
  return { created: false, grown: true, sizeBytes };
}

/** Under another name first: a half-made disk must never be taken for the user's. */
async function create(img: string, file: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  const temporary = `${file}.new`;
  await rm(temporary, { force: true });
  await qemuImg(
    img,
    ['create', '-q', '-f', 'qcow2', '-o', 'lazy_refcounts=on', temporary, String(sizeBytes)],
    `create ${file}`,
    signal,
  );
  await chmod(temporary, 0o600);
  await rename(temporary, file);
}

async function sizeOf(img: string, file: string, signal?: AbortSignal): Promise<number> {
  const output = await qemuImg(img, ['info', '--output=json', '-f', 'qcow2', file], `read ${file}`, signal);
  return infoSchema.parse(JSON.parse(output))['virtual-size'];
}

async function qemuImg(img: string, args: readonly string[], what: string, signal?: AbortSignal): Promise<string> {
  try {
    const { stdout } = await run(img, args, { timeout: 60_000, signal, windowsHide: true });
    return stdout;
  } catch (error) {
    signal?.throwIfAborted();
    const said = (error as { stderr?: string }).stderr?.trim().split('\n')[0];
    throw new AppError('vm-failed', `${what}: ${said ?? (error as Error).message}`, {
      hint: 'The disk holds your images and containers: it was not changed. Check the free space and that no other program uses it.',
      cause: error,
    });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
