/** A machine that Hyper-V runs. */
import { appendFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { AppError } from '../../contract/errors.ts';
import { isSameProcess } from '../../process-identity.ts';
import { delay } from '../../wait.ts';
import type { RunningVm, VmRecord } from '../backend.ts';
import { parseOutput, runState, statusOutput } from './parse.ts';
import type { PowerShell } from './powershell.ts';
import { killScript, powerButtonScript, statusScript } from './scripts.ts';

const pollMs = 2000;
const consoleRetryMs = 1000;

export interface HyperVVmOptions {
  readonly record: VmRecord;
  readonly run: PowerShell;
  readonly consolePipe: string;
  readonly consoleLog: string;
}

export class HyperVVm implements RunningVm {
  readonly record: VmRecord;
  readonly monitorForwards = undefined;
  readonly exited: Promise<{ readonly detail: string }>;
  readonly #run: PowerShell;
  readonly #abort = new AbortController();
  #console: Socket | undefined;

  constructor(options: HyperVVmOptions) {
    this.record = options.record;
    this.#run = options.run;
    this.exited = this.#watch();
    void this.#keepConsole(`\\\\.\\pipe\\${options.consolePipe}`, options.consoleLog);
  }

  async status(signal?: AbortSignal): Promise<string> {
    const attempt = `ask about ${this.record.name}`;
    const output = await this.#run(attempt, statusScript(this.record.name), signal);
    return runState(parseOutput(statusOutput, attempt, output).state);
  }

  async powerButton(signal?: AbortSignal): Promise<void> {
    await this.#run(`shut down ${this.record.name}`, powerButtonScript(this.record.name), signal);
  }

  async kill(): Promise<void> {
    await this.#run(`end ${this.record.name}`, killScript(this.record.name));
    await this.exited;
  }

  save(): Promise<never> {
    return Promise.reject(noSleep());
  }

  go(): Promise<void> {
    return Promise.resolve(); // nothing here halts it
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#console?.destroy();
    return Promise.resolve();
  }

  /** Hyper-V tells nobody who has not asked; the worker process is cheap to look at. */
  async #watch(): Promise<{ readonly detail: string }> {
    for (;;) {
      if (!(await isSameProcess(this.record.process))) return { detail: '' };
      try {
        await delay(pollMs, this.#abort.signal);
      } catch {
        // Let go of: whoever attaches next watches on.
        return new Promise(() => undefined);
      }
    }
  }

  /** Everything the guest writes to its serial port goes to the log; the pipe is there as long as the machine runs. */
  async #keepConsole(pipe: string, log: string): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const socket = connect(pipe);
      this.#console = socket;
      try {
        for await (const chunk of socket as AsyncIterable<Buffer>) await appendFile(log, chunk, { mode: 0o600 });
      } catch {
        // Not there yet, or gone with the machine.
      }
      socket.destroy();
      await delay(consoleRetryMs, this.#abort.signal).catch(() => undefined);
    }
  }
}

export function noSleep(): AppError {
  return new AppError('unsupported', 'put the VM to sleep: Wherry cannot save the state of Hyper-V machines', {
    hint: 'Stop it instead; containers with a restart policy come back when it starts.',
  });
}
