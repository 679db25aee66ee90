/** One process holds a home. The lock is a file made atomically; a holder that died is recognised by pid and start time. */
import { link, mkdir, readFile, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { AppError } from './contract/errors.ts';
import { readIfThere } from './durable-file.ts';
import { identify, isSameProcess, type ProcessIdentity } from './process-identity.ts';
import { delay } from './wait.ts';

const takeoverStaleMs = 10_000;

/** `background`: made by `wherry up`, to be ended by `wherry down`. `shell`: a window or a foreground command. */
export type HolderRole = 'background' | 'shell';

export interface HomeHolder extends ProcessIdentity {
  readonly role: HolderRole;
}

/** Held until disposed or until the process dies. */
export interface HomeLock extends AsyncDisposable {
  readonly holder: HomeHolder;
}

/** Who holds the home now, or undefined when nobody alive does. */
export async function homeHolder(lockFile: string): Promise<HomeHolder | undefined> {
  const holder = parseHolder(await readIfThere(lockFile));
  return holder !== undefined && (await isSameProcess(holder)) ? holder : undefined;
}

/**
 * Takes the home's lock.
 * @throws AppError `conflict` when another live process holds it; the message names its pid.
 */
export async function lockHome(lockFile: string, role: HolderRole): Promise<HomeLock> {
  const identity = await identify(process.pid);
  if (identity === undefined) throw new AppError('internal', 'lock the home: cannot read the own start time');
  const self: HomeHolder = { ...identity, role };
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await create(lockFile, self)) return { holder: self, [Symbol.asyncDispose]: () => unlock(lockFile, self) };
    const holder = await homeHolder(lockFile);
    if (holder !== undefined) {
      throw new AppError('conflict', `open ${lockFile}: process ${holder.pid} holds this home`, {
        hint: 'Use that one, or end it with: wherry down',
      });
    }
    await removeStale(lockFile);
  }
  throw new AppError('conflict', `open ${lockFile}: other processes keep taking it`, { hint: 'Try again.' });
}

/** link(2) fails when the name is taken, and the content is complete before the name exists. */
async function create(lockFile: string, self: HomeHolder): Promise<boolean> {
  const temporary = `${lockFile}.${self.pid}.${performance.now()}`;
  await writeFile(temporary, JSON.stringify(self), { mode: 0o600 });
  try {
    await link(temporary, lockFile);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Looking and removing must be one step, or two starters could remove each other's fresh lock: hence the folder. */
async function removeStale(lockFile: string): Promise<void> {
  const gate = `${lockFile}.takeover`;
  try {
    await mkdir(gate);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const age = await stat(gate).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > takeoverStaleMs) await rmdir(gate).catch(() => undefined);
    await delay(20);
    return;
  }
  try {
    if ((await homeHolder(lockFile)) === undefined) await rm(lockFile, { force: true });
  } finally {
    await rmdir(gate);
  }
}

async function unlock(lockFile: string, self: HomeHolder): Promise<void> {
  const holder = parseHolder(await readFile(lockFile, 'utf8').catch(() => undefined));
  if (holder?.pid === self.pid && holder.started === self.started) await unlink(lockFile);
}

function parseHolder(text: string | undefined): HomeHolder | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<HomeHolder> | null;
    if (typeof value?.pid !== 'number' || typeof value.started !== 'string') return undefined;
    return { pid: value.pid, started: value.started, role: value.role === 'background' ? 'background' : 'shell' };
  } catch {
    // An unreadable lock was not made by create(): nobody holds it.
    return undefined;
  }
}
