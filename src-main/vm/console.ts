/** The serial console's file: QEMU appends to it, the host reads it, keeps it bounded, and follows it. */
import { open, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { delay } from '../wait.ts';

const followMs = 200;
const limitBytes = 4 * 1024 * 1024;
const keepBytes = 1024 * 1024;
const readBytes = 64 * 1024;

/** What came before the last cut or boot. */
function olderFile(file: string): string {
  return `${file}.old`;
}

/** Before a boot: the last boot's console becomes the older part. */
export async function startConsole(file: string): Promise<void> {
  await rename(file, olderFile(file)).catch(() => undefined);
  await writeFile(file, '', { mode: 0o600 });
}

/** Cuts a console that has grown beyond its bound; its end is kept. QEMU writes in append mode, so it goes on at the cut. */
export async function boundConsole(file: string): Promise<void> {
  const size = await sizeOf(file);
  if (size <= limitBytes) return;
  await writeFile(olderFile(file), await readRange(file, size - keepBytes, size), { mode: 0o600 });
  await truncate(file, 0);
}

/** The console's last bytes as text. */
export async function consoleTail(file: string, bytes = 4096): Promise<string> {
  const size = await sizeOf(file);
  return (await readRange(file, Math.max(0, size - bytes), size)).toString('utf8');
}

/** Everything kept of this boot, then what comes, until the signal aborts. */
export async function* followConsole(file: string, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let at = 0;
  while (!signal.aborted) {
    const size = await sizeOf(file);
    if (size < at) at = 0;
    if (size === at) {
      await delay(followMs, signal).catch(() => undefined);
      continue;
    }
    const bytes = await readRange(file, at, Math.min(size, at + readBytes));
    at += bytes.length;
    const text = decoder.write(bytes);
    if (text !== '') yield text;
  }
}

/** Keeps a failed boot's console for the user to look at; the last one only. */
export async function keepFailedConsole(file: string, keptAs: string): Promise<void> {
  await rm(keptAs, { force: true });
  await writeFile(keptAs, await consoleTail(file, keepBytes), { mode: 0o600 });
}

async function readRange(file: string, from: number, to: number): Promise<Buffer> {
  if (to <= from) return Buffer.alloc(0);
  const handle = await open(file, 'r');
  try {
    const bytes = Buffer.alloc(to - from);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.size,
    () => 0,
  );
}
