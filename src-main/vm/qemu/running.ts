/** A QEMU that runs, held through its monitor. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { isSameProcess } from '../../process-identity.ts';
import { delay, withDeadline } from '../../wait.ts';
import type { HostForwards, RunningVm, StateFile, VmRecord } from '../backend.ts';
import { killProcess } from './process.ts';
import type { Qmp } from './qmp.ts';
import { letGo, loadState, saveState } from './saved-state.ts';
import { QemuForwards } from './forwards.ts';

const pollMs = 100;
/** QEMU ends at once when it cannot use a state. */
const refusedMs = 10_000;

export class QemuVm implements RunningVm {
  readonly record: VmRecord;
  readonly monitorForwards: HostForwards;
  readonly exited: Promise<{ readonly detail: string }>;
  readonly #qmp: Qmp;
  readonly #logFile: string;
  readonly #stateSocket: string;
  readonly #released = new AbortController();

  constructor(record: VmRecord, qmp: Qmp, logFile: string, stateSocket: string) {
    this.record = record;
    this.#qmp = qmp;
    this.monitorForwards = new QemuForwards(qmp, record.ssh.port);
    this.#logFile = logFile;
    this.#stateSocket = stateSocket;
    this.exited = this.#watch();
  }

  async status(signal?: AbortSignal): Promise<string> {
    return z.object({ status: z.string() }).parse(await this.#qmp.run('query-status', {}, signal)).status;
  }

  async powerButton(signal?: AbortSignal): Promise<void> {
    await this.#qmp.run('system_powerdown', {}, signal);
  }

  async kill(): Promise<void> {
    await killProcess(this.record.process);
  }

  async save(path: string, signal?: AbortSignal): Promise<StateFile> {
    return saveState(this.#qmp, this.#stateSocket, path, signal);
  }

  async go(signal?: AbortSignal): Promise<void> {
    await letGo(this.#qmp, signal);
  }

  /** For a machine that was started to wait for it: it is halted then. @throws AppError `vm-failed`. */
  async load(state: StateFile, signal?: AbortSignal): Promise<void> {
    if (await loadState(this.#qmp, this.#stateSocket, state, signal)) return;
    const what = 'wait for the end of a QEMU that refused its state';
    const { detail } = await withDeadline(what, refusedMs, () => this.exited, { signal });
    throw new AppError('vm-failed', `restore the VM: QEMU does not take the saved state: ${detail}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#released.abort();
    await this.#qmp[Symbol.asyncDispose]();
  }

  /** The monitor closes when QEMU ends; the process id is the proof. After release this never resolves. */
  async #watch(): Promise<{ readonly detail: string }> {
    const { signal } = this.#released;
    await new Promise<void>((resolve) => this.#qmp.onClosed(resolve));
    while (!signal.aborted && (await isSameProcess(this.record.process))) await delay(pollMs);
    if (signal.aborted) return new Promise(() => undefined);
    const said = (await readFile(this.#logFile, 'utf8').catch(() => '')).trim();
    return { detail: said.split('\n').slice(-3).join('\n') };
  }
}
