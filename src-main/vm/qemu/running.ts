/** A QEMU that runs, held through its monitor. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { isSameProcess } from '../../process-identity.ts';
import { delay } from '../../wait.ts';
import type { PortForward, RunningVm, VmRecord } from '../backend.ts';
import { userNetwork } from './arguments.ts';
import { killProcess } from './process.ts';
import type { Qmp } from './qmp.ts';
import { forwardRule, parseForwards, removeRule } from './forwards.ts';

const pollMs = 100;

export class QemuVm implements RunningVm {
  readonly record: VmRecord;
  readonly exited: Promise<{ readonly detail: string }>;
  readonly #qmp: Qmp;
  readonly #released = new AbortController();

  constructor(record: VmRecord, qmp: Qmp, logFile: string) {
    this.record = record;
    this.#qmp = qmp;
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

  async addForward(forward: PortForward, signal?: AbortSignal): Promise<void> {
    const present = await this.forwards(signal);
    if (present.some((other) => sameHostPort(other, forward) && other.guestPort === forward.guestPort)) return;
    const said = await this.#qmp.human(`hostfwd_add ${userNetwork.netdev} ${forwardRule(forward)}`, signal);
    if (said.trim() === '') return;
    throw new AppError('port-taken', `publish ${forward.hostIp}:${forward.hostPort}: ${said.trim()}`, {
      hint: 'Choose another port, or end what uses this one.',
    });
  }

  async removeForward(forward: Omit<PortForward, 'guestPort'>, signal?: AbortSignal): Promise<void> {
    // Its answer is text for humans in both cases; whether it was there makes no difference to the caller.
    await this.#qmp.human(`hostfwd_remove ${userNetwork.netdev} ${removeRule(forward)}`, signal);
  }

  async forwards(signal?: AbortSignal): Promise<readonly PortForward[]> {
    const all = parseForwards(await this.#qmp.human('info usernet', signal));
    return all.filter((forward) => !(forward.protocol === 'tcp' && forward.hostPort === this.record.ssh.port));
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

function sameHostPort(a: Omit<PortForward, 'guestPort'>, b: Omit<PortForward, 'guestPort'>): boolean {
  return a.protocol === b.protocol && a.hostIp === b.hostIp && a.hostPort === b.hostPort;
}
