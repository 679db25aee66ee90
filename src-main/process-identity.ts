/** Tells whether a process id still means the process it meant when it was written down. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the platform's own words; equal only for the same process. */
  readonly started: string;
}

/** The identity of a live process, or undefined when there is none with this id (a zombie counts as none). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const started = await startOf(pid);
  return started === undefined ? undefined : { pid, started };
}

export async function isSameProcess(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.started === identity.started;
}

async function startOf(pid: number): Promise<string | undefined> {
  switch (process.platform) {
    case 'linux':
      return startFromProc(pid);
    case 'win32':
      return output('powershell.exe', [
        '-NoProfile',
        '-Command',
        `(Get-Process -Id ${pid} -ErrorAction Stop).StartTime.ToFileTimeUtc()`,
      ]);
    default:
      return output('ps', ['-o', 'lstart=', '-p', String(pid)]);
  }
}

/** proc(5): fields after the last `)`; state is the first, start time in clock ticks the twentieth. */
async function startFromProc(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${await bootId()}:${fields[19] ?? ''}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

let knownBootId: string | undefined;

/** Ticks count from boot, so a number alone could repeat after the host restarted. */
async function bootId(): Promise<string> {
  knownBootId ??= (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  return knownBootId;
}

async function output(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { timeout: 10_000, windowsHide: true });
    return stdout.trim() || undefined;
  } catch {
    // Both programs fail when there is no such process, which is the answer asked for.
    return undefined;
  }
}
