/** What is asked of a container's cgroup while it runs. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const freezeTimeoutMs = 10_000;

/** Freezes or thaws, and waits until the kernel says it is so. */
export async function setFrozen(cgroup: string, frozen: boolean): Promise<void> {
  const wanted = frozen ? '1' : '0';
  await writeFile(path.join(cgroup, 'cgroup.freeze'), wanted);
  const deadline = Date.now() + freezeTimeoutMs;
  for (let waitMs = 1; !(await readFile(path.join(cgroup, 'cgroup.events'), 'utf8')).includes(`frozen ${wanted}`);) {
    if (Date.now() > deadline) throw new Error(`${frozen ? 'freeze' : 'thaw'} ${cgroup}: not done in 10 s`);
    await sleep(waitMs);
    waitMs = Math.min(50, waitMs * 2);
  }
}

/** All pids in the cgroup and in those beneath that the container made. */
export async function listPids(cgroup: string): Promise<readonly number[]> {
  const own = await readFile(path.join(cgroup, 'cgroup.procs'), 'utf8');
  const children = await readdir(cgroup, { withFileTypes: true });
  const beneath = await Promise.all(
    children.filter((entry) => entry.isDirectory()).map((entry) => listPids(path.join(cgroup, entry.name))),
  );
  return [...own.split('\n').filter(Boolean).map(Number), ...beneath.flat()];
}

/** Kills whatever a dead monitor left. No cgroup means nothing was left. */
export async function killAll(cgroup: string): Promise<void> {
  await writeFile(path.join(cgroup, 'cgroup.kill'), '1').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}
