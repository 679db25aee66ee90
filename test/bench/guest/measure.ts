/** Timing and memory, as the guest's kernel tells them. */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of each of `count` runs, after `warmups` that do not count. */
export async function time(work: () => Promise<void> | void, count: number, warmups = 2): Promise<number[]> {
  const taken: number[] = [];
  for (let run = -warmups; run < count; run++) {
    const startedAt = performance.now();
    await work();
    if (run >= 0) taken.push(performance.now() - startedAt);
  }
  return taken;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Bytes of proportional set size of every process whose command line fits. */
export function memoryOf(pattern: RegExp): number {
  let bytes = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (!pattern.test(command)) continue;
      const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
      bytes += Number(pss?.[1] ?? 0) * 1024;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error; // The process ended while being read.
    }
  }
  return bytes;
}
