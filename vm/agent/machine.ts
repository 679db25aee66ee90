/** The guest machine itself: power, clock, caches, random numbers. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { log } from './log.ts';

const run = promisify(execFile);

/** Asks init to power off; it syncs and ends what is left. */
export function powerOff(): void {
  process.kill(1, 'SIGUSR2');
}

/** Sets the wall clock, as after the host has slept. By the addon: busybox's `date` takes whole seconds only. */
export async function setClock(programsDir: string, nowMs: number): Promise<void> {
  const { loadAddonKernel } = await import('./kernel/addon-kernel.ts');
  const behindMs = nowMs - Date.now();
  await loadAddonKernel(`${programsDir}/kernel.node`).setClock(nowMs);
  log.info(`the clock was set by ${(behindMs / 1000).toFixed(3)} s`);
}

/** Writes all out, so that a state which is lost later costs no more than its processes, and gives up what can be read again. */
export async function dropCaches(): Promise<void> {
  await run('sync');
  // proc_sys_vm(5): page cache, dentries and inodes.
  await writeFile('/proc/sys/vm/drop_caches', '3');
}

/** random(4): what is written is mixed in, and counts as nothing more than that. */
export async function stirRandom(entropy: Buffer): Promise<void> {
  await writeFile('/dev/urandom', entropy);
}
