/** QEMU's process: started on its own, found again, ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { AppError } from '../../contract/errors.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../../process-identity.ts';
import { delay } from '../../wait.ts';

/** Its own session and no descriptor of ours: it lives on when this process ends. */
export async function spawnDetached(
  program: string,
  args: readonly string[],
  logFile: string,
): Promise<ProcessIdentity> {
  const log = await open(logFile, 'w', 0o600);
  try {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log.fd, log.fd], windowsHide: true });
    await Promise.race([
      once(child, 'spawn'),
      once(child, 'error').then(([error]) => {
        throw new AppError('vm-failed', `start ${program}: ${(error as Error).message}`, { cause: error });
      }),
    ]);
    child.unref();
    const identity = child.pid === undefined ? undefined : await identify(child.pid);
    if (identity === undefined) throw await diedAtOnce(logFile);
    return identity;
  } finally {
    await log.close();
  }
}

/** The error for a QEMU that ended during start, with its own last words. */
export async function diedAtOnce(logFile: string): Promise<AppError> {
  const said = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');
  return new AppError('vm-failed', `start QEMU: it ended at once: ${said === '' ? 'without a word' : said}`, {
    hint: `The whole output is in ${logFile}.`,
  });
}

/** Kills and waits until it is gone. */
export async function killProcess(identity: ProcessIdentity): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (!(await isSameProcess(identity))) return;
    try {
      process.kill(identity.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await delay(50);
  }
  throw new AppError('vm-failed', `end process ${identity.pid}: it is still there after 10 s`);
}

/** Pids are reused: only a process that really is QEMU on this home's files may be ended. Known where /proc tells. */
export async function isQemuOf(pid: number, folder: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes('qemu-system') && commandLine.includes(folder);
}
