/** Takes over a VM that an earlier process started. */
import type { HomePaths } from '../home.ts';
import type { RunningVm, VmBackend, VmRecord } from './backend.ts';
import { dropSaved } from './saved-state.ts';

const halted: readonly string[] = ['paused', 'postmigrate', 'finish-migrate'];

/** The VM that runs. One whose host ended while it was being saved is let go on: that state does not count. */
export async function attachRunning(
  paths: HomePaths,
  backend: VmBackend,
  record: VmRecord,
  signal?: AbortSignal,
): Promise<RunningVm | undefined> {
  const vm = await backend.attach(record, signal);
  if (vm === undefined || backend.kind !== 'qemu') return vm;
  try {
    await dropSaved(paths.vm);
    if (halted.includes(await vm.status(signal))) await vm.go(signal);
    return vm;
  } catch (error) {
    await vm[Symbol.asyncDispose]();
    throw error;
  }
}
