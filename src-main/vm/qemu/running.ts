/** A QEMU that runs, held through its monitor. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { isSameProcess } from '../../process-identity.ts';
import { delay } from '../../wait.ts';
import type { HostForwards, RunningVm, VmRecord } from '../backend.ts';
import { killProcess } from './process.ts';
import type { Qmp } from './qmp.ts';
import { QemuForwards } from './forwards.ts';

const pollMs = 100;

export class QemuVm implements RunningVm {
  readonly record: VmRecord;
  readonly monitorForwards: HostForwards;
  readonly exited: Promise<{ readonly detail: string }>;
  readonly #qmp: Qmp;
  readonly #released = new AbortController();

  constructor(record: VmRecord, qmp: Qmp, logFile: string) {
    this.record = record;
    this.#qmp = qmp;
    this.monitorForwards = new QemuForwards(qmp, record.ssh.port);
    this.exited = this.#watch(logFile);
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#released.abort();
    await this.#qmp[Symbol.asyncDispose]();
  }

  /** The monitor closes when QEMU ends; the process id is the proof. After release this never resolves. */
  async #watch(logFile: string): Promise<{ readonly detail: string }> {
    const { signal } = this.#released;
    await new Promise<void>((resolve) => this.#qmp.onClosed(resolve));
    while (!signal.aborted && (await isSameProcess(this.record.process))) await delay(pollMs);
    if (signal.aborted) return new Promise(() => undefined);
    const said = (await readFile(logFile, 'utf8').catch(() => '')).trim();
    return { detail: said.split('\n').slice(-3).join('\n') };
  }
}
