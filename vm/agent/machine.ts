/** The guest machine itself: power and clock. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { log } from './log.ts';

const run = promisify(execFile);

/** Asks init to power off; it syncs and ends what is left. */
export function powerOff(): void {
  process.kill(1, 'SIGUSR2');
}

/** Sets the wall clock, as after the host has slept. */
export async function setClock(nowMs: number): Promise<void> {
  const behindMs = nowMs - Date.now();
  await run('date', ['-u', '-s', `@${(nowMs / 1000).toFixed(3)}`]);
  log.info(`the clock was set by ${(behindMs / 1000).toFixed(3)} s`);
}
