/** Ends a VM: the guest is asked, then the power button pressed, then the process killed; each with its deadline. */
import { AppError } from '../contract/errors.ts';
import type { GuestApi } from '../link/guest-api.ts';
import { delay, withDeadline } from '../wait.ts';
import type { RunningVm } from './backend.ts';

export interface ShutdownDeadlines {
  /** For the containers to stop on their own. */
  readonly containersSeconds: number;
  readonly guestMs: number;
  /** The guest gives its containers ten seconds of this, and needs the rest to write all out. */
  readonly powerButtonMs: number;
}

export const usualDeadlines: ShutdownDeadlines = { containersSeconds: 10, guestMs: 30_000, powerButtonMs: 30_000 };

export interface ShutdownRequest {
  readonly vm: RunningVm;
  /** Absent when the guest cannot be reached: then the power button is first. */
  readonly api: Pick<GuestApi, 'shutdown'> | undefined;
  readonly deadlines: ShutdownDeadlines;
  readonly report: (step: 'guest' | 'power-button' | 'kill') => void;
}

/** Resolves when the process is gone. Rejects only when even the kill has failed. */
export async function shutDown(request: ShutdownRequest): Promise<void> {
  const { vm, api, deadlines, report } = request;
  if (api !== undefined) {
    report('guest');
    const asked = await askGuest(api, deadlines.containersSeconds);
    if (asked && (await exitsWithin(vm, deadlines.guestMs))) return;
  }
  report('power-button');
  const pressed = await succeeds(vm.powerButton());
  if (await exitsWithin(vm, pressed ? deadlines.powerButtonMs : 0)) return;
  report('kill');
  await vm.kill();
}

/** The answer is often lost with the link that the guest takes down: only a refusal or silence counts as "not asked". */
async function askGuest(api: Pick<GuestApi, 'shutdown'>, containersSeconds: number): Promise<boolean> {
  const ask = (signal: AbortSignal): Promise<void> => api.shutdown(containersSeconds, signal);
  try {
    await withDeadline('ask the guest to power off', 5000 + containersSeconds * 1000, ask);
    return true;
  } catch (error) {
    return !(error instanceof AppError) || error.code === 'link-lost';
  }
}

async function exitsWithin(vm: RunningVm, ms: number): Promise<boolean> {
  const over = new AbortController();
  try {
    const late = delay(ms, over.signal).then(
      () => false,
      () => false,
    );
    return await Promise.race([vm.exited.then(() => true), late]);
  } finally {
    over.abort();
  }
}

/** The next step follows in any case; what went wrong with this one makes no difference. */
async function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}
