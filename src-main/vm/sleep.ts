/** Puts a VM to sleep and wakes it: its state goes to the disk and its process ends; later both come back. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { AppError } from '../contract/errors.ts';
import type { HomePaths } from '../home.ts';
import { GuestApi } from '../link/guest-api.ts';
import type { Link } from '../link/link.ts';
import { withDeadline } from '../wait.ts';
import type { MachineSpec, RunningVm, StateFile } from './backend.ts';
import { describeMachine, discard, linkTarget, openImage, reachGuest, type BootContext } from './boot.ts';
import { readinessStages, type ReadinessStage } from './readiness.ts';
import { removeRecord } from './record.ts';
import {
  commitSaved,
  dropSaved,
  markDisk,
  mismatch,
  partialState,
  readSaved,
  removeStates,
  voidSaved,
  type Binding,
  type SavedRecord,
} from './saved-state.ts';

const prepareMs = 20_000;
const greetMs = 10_000;
/** A guest that was restored answers within a second, or something is wrong. */
const reachMs = 20_000;
const entropyBytes = 64;

export interface SleepRequest {
  /** Only when nothing at all goes on in the guest. */
  readonly idle: boolean;
  /** Called when it is certain to be tried: the guest has agreed, and its connections are about to end. */
  readonly begun: () => void;
  readonly signal: AbortSignal;
}

/**
 * Resolves when the state counts and the process is gone.
 * @throws AppError `conflict` when the guest does what a pause would spoil, `unsupported` when the machine cannot be saved;
 * the signal's reason when aborted. The guest then runs on.
 */
export async function fallAsleep(context: BootContext, vm: RunningVm, request: SleepRequest): Promise<void> {
  const { paths, backend, link } = context;
  const { signal } = request;
  const machine = await describeMachine(context, await openImage(context, signal), vm.record);
  const fingerprint = await backend.fingerprint(machine, signal);
  // Nothing there is now could take the state over again.
  if (fingerprint !== vm.record.fingerprint) throw startedByOther();
  await prepareGuest(link, request);
  request.begun();
  // Ended now, the guest's side ends too; cut by the halt, it would keep dead connections.
  await link.disconnect();
  try {
    await dropSaved(paths.vm);
    const state = await vm.save(partialState(paths.vm), signal);
    await commit(paths, vm, state, { backend: backend.kind, imageId: vm.record.imageId, fingerprint });
  } catch (error) {
    await link.connect(await linkTarget(paths, vm.record));
    throw error;
  }
  await vm.kill();
  await vm.exited;
  await vm[Symbol.asyncDispose]();
  await removeRecord(paths.vm.record);
}

async function prepareGuest(link: Link, { idle, signal }: SleepRequest): Promise<void> {
  const prepare = (inner: AbortSignal): Promise<void> => new GuestApi(link).prepareSleep(idle, inner);
  try {
    await withDeadline('ready the guest for sleep', prepareMs, prepare, { signal });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.status === 404) throw startedByOther();
    if (error.status !== 409) throw error;
    const reason = error.message.replace(/^POST [^:]*: /, '');
    throw new AppError('conflict', `put the VM to sleep: ${reason}`, {
      hint: 'Wait for it, or cancel it.',
      cause: error,
    });
  }
}

function startedByOther(): AppError {
  const message = 'put the VM to sleep: Wherry, QEMU or the system image has changed since it was started';
  return new AppError('unsupported', message, { hint: 'Restart the VM once: it can sleep from then on.' });
}

/** Halted, the guest changes nothing on the disk any more: it is marked as the state will find it. */
async function commit(
  paths: HomePaths,
  vm: RunningVm,
  state: StateFile,
  binding: Omit<Binding, 'disk'>,
): Promise<void> {
  const { accelerator, cpus, memoryMiB } = vm.record;
  const { sizeBytes, checksum } = state;
  try {
    const disk = await markDisk(paths.vm.dataDisk);
    const record: SavedRecord = {
      ...{ version: 1, ...binding, disk, accelerator, cpus, memoryMiB },
      ...{ state: { sizeBytes, checksum }, savedAtMs: Date.now() },
    };
    await commitSaved(paths.vm, state, record);
  } catch (error) {
    await dropSaved(paths.vm);
    await rm(state.path, { force: true });
    await vm.go();
    throw error;
  }
}

/**
 * The VM with its saved state, ready; or, when that does not fit or does not load, why. The state is used up either way.
 * @throws the signal's reason when aborted before the guest ran on: it still sleeps then.
 */
export async function wake(context: BootContext, signal: AbortSignal): Promise<RunningVm | string> {
  const { paths, backend } = context;
  let vm: RunningVm;
  try {
    const saved = await readSaved(paths.vm);
    if (saved === undefined) throw new AppError('vm-failed', 'its file is damaged or gone');
    const machine = await fittingMachine(context, saved, signal);
    vm = await backend.restore(machine, { path: paths.vm.savedState, ...saved.state }, signal);
  } catch (error) {
    signal.throwIfAborted();
    await dropSaved(paths.vm);
    return (error as Error).message;
  }
  try {
    // Durably, before the guest writes to the disk again: the same state on a later disk would destroy data.
    await voidSaved(paths.vm);
    await vm.go();
  } catch (error) {
    await discard(vm, context);
    return (error as Error).message;
  }
  try {
    // From here on nobody's wish ends it half way: what was saved lives in this process only.
    const { signal: always } = new AbortController();
    const undo = (): Promise<void> => discard(vm, context);
    const reached = reachGuest({ vm, context, undo, stages: afterSleep(context), deadlineMs: reachMs, signal: always });
    // Takes a while, so beside it. What stays by mistake does not count, and goes with the next.
    await Promise.all([reached, removeStates(paths.vm).catch(() => undefined)]);
  } catch (error) {
    return (error as Error).message;
  }
  const { accelerator, backendVersion: version } = vm.record;
  context.report.backend({ kind: vm.record.backend, accelerator, version });
  return vm;
}

/** The guest was ready when it was halted: it only has to answer, and to be told what it missed. */
function afterSleep(context: BootContext): readonly ReadinessStage[] {
  return readinessStages.flatMap((stage) => {
    if (stage.stage === 'ssh') return [stage];
    if (stage.stage !== 'engine') return [];
    const probe: ReadinessStage['probe'] = async (probes, signal) => {
      await Promise.all([probes.ping(signal), greet(context)]);
    };
    return [{ ...stage, probe }];
  });
}

/** @throws when the state was saved for another machine. */
async function fittingMachine(context: BootContext, saved: SavedRecord, signal: AbortSignal): Promise<MachineSpec> {
  const { paths, backend } = context;
  const image = await openImage(context, signal);
  // With the resources it was saved with: others set meanwhile are for the next boot, as with a VM that runs.
  const machine = await describeMachine(context, image, saved);
  const present: Binding = {
    backend: backend.kind,
    imageId: image.id,
    fingerprint: saved.backend === backend.kind ? await backend.fingerprint(machine, signal) : '',
    disk: await markDisk(paths.vm.dataDisk),
  };
  const reason = mismatch(saved, present);
  if (reason !== undefined) throw new AppError('vm-failed', reason);
  return machine;
}

/** It has missed time, and what its random numbers come from lay in a file. */
async function greet({ link, report }: BootContext): Promise<void> {
  const entropy = randomBytes(entropyBytes).toString('base64');
  const tell = (signal: AbortSignal): Promise<void> => new GuestApi(link).wake(Date.now(), entropy, signal);
  try {
    await withDeadline("set the guest's clock", greetMs, tell);
  } catch (error) {
    const message = `The guest's clock could not be set after its sleep: ${(error as Error).message}`;
    report.warn([{ message, hint: 'Restart the VM when it matters; containers go on meanwhile.' }]);
  }
}
