/** A connection of the command line's own to a running guest: needs no owner process, and shares no fate with its link. */
import { AppError } from '../contract/errors.ts';
import { SshSession } from '../link/session.ts';
import { isSameProcess } from '../process-identity.ts';
import { linkTarget } from '../vm/boot.ts';
import type { VmRecord } from '../vm/backend.ts';
import { readRecord } from '../vm/record.ts';
import { readSaved } from '../vm/saved-state.ts';
import { connectOrSpawnOwner } from './owner.ts';
import type { CliContext } from './context.ts';

const keepAlive = { intervalMs: 10_000, misses: 3 };

/** The VM's record when its process lives. */
export async function runningRecord(context: CliContext): Promise<VmRecord | undefined> {
  const record = await readRecord(context.paths.vm.record);
  return record !== undefined && (await isSameProcess(record.process)) ? record : undefined;
}

/** @throws AppError `vm-absent` or `link-lost`. */
export async function connectToGuest(context: CliContext, signal?: AbortSignal): Promise<SshSession> {
  const record = await runningRecord(context);
  if (record === undefined) {
    throw new AppError('vm-absent', 'connect to the guest: the VM is not running', {
      hint: 'Start it with: wherry up',
    });
  }
  return openSession(context, record, signal);
}

/** The same, of a VM that may sleep: it is woken. */
export async function connectToWokenGuest(context: CliContext): Promise<SshSession> {
  if ((await runningRecord(context)) === undefined && (await readSaved(context.paths.vm)) !== undefined) {
    await using owner = await connectOrSpawnOwner(context);
    await owner.client.call('vm.start', {}, context.signal);
  }
  return connectToGuest(context);
}

async function openSession(context: CliContext, record: VmRecord, signal?: AbortSignal): Promise<SshSession> {
  return SshSession.open(await linkTarget(context.paths, record), keepAlive, signal ?? context.signal);
}
