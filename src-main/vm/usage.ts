/** What the VM holds of this machine, and what of that is in use inside. */
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Settings, VmUsage } from '../contract/vm.ts';
import type { HomePaths } from '../home.ts';
import { GuestApi } from '../link/guest-api.ts';
import type { GuestLink } from '../services.ts';
import { readRecord } from './record.ts';

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;
const guestTimeoutMs = 5000;

/** @param link absent when no VM is ready: then only what is on this machine is told */
export async function vmUsage(
  paths: HomePaths,
  settings: Settings,
  link: GuestLink | undefined,
  signal?: AbortSignal,
): Promise<VmUsage> {
  const record = await readRecord(paths.vm.record);
  const [heldDisk, usedDisk, heldMemory] = await Promise.all([
    allocatedBytes(paths.vm.dataDisk),
    link === undefined ? undefined : usedInGuest(link, signal),
    record === undefined ? undefined : residentBytes(record.process.pid),
  ]);
  return {
    disk: {
      limitBytes: settings.vm.diskGiB * gibibyte,
      heldBytes: heldDisk,
      ...(usedDisk === undefined ? {} : { usedBytes: usedDisk }),
    },
    memory: {
      limitBytes: (record?.memoryMiB ?? settings.vm.memoryMiB) * mebibyte,
      ...(heldMemory === undefined ? {} : { heldBytes: heldMemory }),
    },
  };
}

/** The file is sparse: its blocks count, not its length (stat(2): of 512 bytes; Windows has none). */
async function allocatedBytes(file: string): Promise<number> {
  return stat(file).then(
    ({ blocks, size }) => (process.platform === 'win32' ? size : blocks * 512),
    () => 0,
  );
}

async function usedInGuest(link: GuestLink, signal: AbortSignal | undefined): Promise<number | undefined> {
  const deadline = AbortSignal.timeout(guestTimeoutMs);
  const health = new GuestApi(link).health(signal ? AbortSignal.any([signal, deadline]) : deadline);
  // Told again in a moment; what the engine's health is, the view says.
  const { disk } = await health.catch(() => ({ disk: undefined }));
  if (disk?.sizeBytes === undefined || disk.freeBytes === undefined) return undefined;
  return disk.sizeBytes - disk.freeBytes;
}

/** Undefined where the platform does not tell. */
async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    switch (process.platform) {
      case 'linux': {
        // proc_pid_status(5): VmRSS in kB.
        const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
        return kib === undefined ? undefined : Number(kib) * 1024;
      }
      case 'darwin': {
        const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)], { timeout: 5000 });
        return Number(stdout.trim()) * 1024 || undefined;
      }
      default:
        return undefined;
    }
  } catch {
    return undefined; // it has just ended
  }
}
