/** The VM as a service: one operation at a time, the state machine around it, and the watch over a VM that runs. */
import { rm } from 'node:fs/promises';
import { AppError, toErrorView } from '../contract/errors.ts';
import type { VmView } from '../contract/vm.ts';
import { dockerHost, type HomePaths } from '../home.ts';
import { GuestApi } from '../link/guest-api.ts';
import type { Link } from '../link/link.ts';
import { isSameProcess } from '../process-identity.ts';
import type { SettingsService, Unsubscribe, VmService } from '../services.ts';
import { raceAbort, withDeadline } from '../wait.ts';
import type { RunningVm, VmBackend } from './backend.ts';
import { boot, BootFailure, linkTarget, type BootContext } from './boot.ts';
import { boundConsole, followConsole } from './console.ts';
import { readRecord, removeRecord } from './record.ts';
import { shutDown, usualDeadlines } from './shutdown.ts';
import { ViewModel } from './view.ts';

const bootAttempts = 2;
const consoleCheckMs = 30_000;
/** For a VM that nobody was attached to; an emulated guest needs a second or two to greet. */
const reachGuestMs = 5000;

export interface MachineOptions {
  readonly paths: HomePaths;
  readonly settings: SettingsService;
  readonly link: Link;
  /** Chosen afresh for each boot: the setting may have changed. */
  readonly chooseBackend: () => VmBackend;
  readonly imageFolder: string;
  readonly extraDisks: BootContext['extraDisks'];
  readonly devImage: boolean;
}

interface Operation {
  readonly kind: 'start' | 'stop';
  readonly done: Promise<void>;
  readonly cancel: AbortController;
}

export class Machine implements VmService, AsyncDisposable {
  readonly #options: MachineOptions;
  readonly #model: ViewModel;
  readonly #readyListeners = new Set<(vm: RunningVm) => void>();
  readonly #unsubscribe: Unsubscribe[] = [];
  readonly #consoleTimer: NodeJS.Timeout;
  #operation: Operation | undefined;
  #running: RunningVm | undefined;
  #stoppedOnPurpose = false;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#model = new ViewModel(dockerHost(options.paths.dockerSocket));
    this.#unsubscribe.push(options.link.onState((state) => this.#model.link(state)));
    this.#unsubscribe.push(options.link.onGap(() => void this.#afterGap()));
    this.#consoleTimer = setInterval(() => {
      // Losing one check only lets the file grow until the next.
      if (this.#running !== undefined) boundConsole(options.paths.vm.console).catch(() => undefined);
    }, consoleCheckMs);
    this.#consoleTimer.unref();
  }

  get view(): VmView {
    return this.#model.view;
  }

  /** The VM while it is ready. */
  get running(): RunningVm | undefined {
    return this.#running;
  }

  /** True after `stop`, until the next `start`: then a docker client must not start it again by itself. */
  get stoppedOnPurpose(): boolean {
    return this.#stoppedOnPurpose;
  }

  onChange(listener: (view: VmView) => void): Unsubscribe {
    return this.#model.onChange(listener);
  }

  /** Called each time a VM has become ready, booted or attached. */
  onReady(listener: (vm: RunningVm) => void): Unsubscribe {
    this.#readyListeners.add(listener);
    return () => this.#readyListeners.delete(listener);
  }

  /** A VM that an earlier process left running. */
  async hasRunningVm(): Promise<boolean> {
    const record = await readRecord(this.#options.paths.vm.record);
    return record !== undefined && (await isSameProcess(record.process));
  }

  async start(signal?: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#operation?.kind === 'start') return raceAbort(this.#operation.done, signal);
      if (this.#operation === undefined) break;
      await raceAbort(settled(this.#operation.done), signal);
    }
    if (this.#model.view.state.kind === 'ready') return;
    this.#stoppedOnPurpose = false;
    await raceAbort(
      this.#begin('start', (cancelled) => this.#bootWithRetry(cancelled)),
      signal,
    );
  }

  async stop(signal?: AbortSignal): Promise<void> {
    this.#stoppedOnPurpose = true;
    for (;;) {
      if (this.#operation?.kind === 'stop') return raceAbort(this.#operation.done, signal);
      if (this.#operation === undefined) break;
      await this.#cancelled(this.#operation, signal);
    }
    await raceAbort(
      this.#begin('stop', () => this.#shutDown()),
      signal,
    );
  }

  async reset(signal?: AbortSignal): Promise<void> {
    this.#stoppedOnPurpose = true;
    while (this.#operation !== undefined) await this.#cancelled(this.#operation, signal);
    await raceAbort(
      this.#begin('stop', async () => {
        await this.#shutDown();
        await rm(this.#options.paths.vm.dataDisk, { force: true });
      }),
      signal,
    );
    await this.start(signal);
  }

  async restart(signal?: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.start(signal);
  }

  async mend(signal?: AbortSignal): Promise<void> {
    const { state } = this.#model.view;
    if (state.kind === 'ready' && (await this.#guestAnswers(signal))) return;
    if (state.kind === 'ready') {
      this.#options.link.rebuild('rebuilt on request');
      if (await this.#guestAnswers(signal)) return;
    }
    if (state.kind === 'ready' || (state.kind === 'failed' && (await this.hasRunningVm()))) await this.restart(signal);
    else await this.start(signal);
  }

  async *console(signal: AbortSignal): AsyncGenerator<string> {
    yield* followConsole(this.#options.paths.vm.console, signal);
  }

  /** Lets go of the VM without ending it; a boot under way is cancelled. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#consoleTimer);
    const operation = this.#operation;
    if (operation?.kind === 'start')
      operation.cancel.abort(new AppError('cancelled', 'start the VM: the host is ending'));
    if (operation !== undefined) await settled(operation.done);
    for (const end of this.#unsubscribe) end();
    const running = this.#running;
    this.#running = undefined;
    await running?.[Symbol.asyncDispose]();
  }

  /** Waits for its end; a boot is told to end. */
  async #cancelled(operation: Operation, signal: AbortSignal | undefined): Promise<void> {
    if (operation.kind === 'start') {
      operation.cancel.abort(new AppError('cancelled', 'start the VM: it was stopped meanwhile'));
    }
    await raceAbort(settled(operation.done), signal);
  }

  #begin(kind: Operation['kind'], work: (cancelled: AbortSignal) => Promise<void>): Promise<void> {
    const cancel = new AbortController();
    const done = work(cancel.signal).finally(() => {
      this.#operation = undefined;
    });
    // Joined by others; each of them sees the rejection.
    done.catch(() => undefined);
    this.#operation = { kind, done, cancel };
    return done;
  }

  async #bootWithRetry(cancelled: AbortSignal): Promise<void> {
    this.#model.apply({ kind: 'start', atMs: Date.now() });
    this.#model.warnings([]);
    for (let attempt = 1; ; attempt++) {
      try {
        const vm = await boot(this.#bootContext(), cancelled);
        this.#watch(vm);
        this.#model.apply({ kind: 'ready', atMs: Date.now() });
        for (const listener of this.#readyListeners) listener(vm);
        return;
      } catch (error) {
        if (!(error instanceof BootFailure)) {
          this.#model.apply({ kind: 'gone' });
          throw error;
        }
        if (error.retry && attempt < bootAttempts) {
          this.#model.apply({ kind: 'retry' });
          continue;
        }
        const { message, hint } = toErrorView(error.reason);
        this.#model.apply({
          kind: 'fail',
          stage: error.stage,
          message,
          hint: hint ?? 'Try again, or see: wherry doctor',
        });
        throw error.reason;
      }
    }
  }

  #bootContext(): BootContext {
    const { paths, settings, link, chooseBackend, imageFolder, extraDisks, devImage } = this.#options;
    const report = {
      stage: this.#model.stage.bind(this.#model),
      backend: this.#model.backend.bind(this.#model),
      warn: this.#model.warnings.bind(this.#model),
    };
    const backend = chooseBackend();
    return { paths, settings: settings.current, link, backend, imageFolder, extraDisks, devImage, report };
  }

  #watch(vm: RunningVm): void {
    this.#running = vm;
    void vm.exited.then(({ detail }) => this.#onExit(vm, detail));
  }

  async #onExit(vm: RunningVm, detail: string): Promise<void> {
    if (this.#running !== vm || this.#operation?.kind === 'stop') return;
    this.#running = undefined;
    this.#model.apply({
      kind: 'fail',
      stage: 'process',
      message: `The VM ended by itself${detail === '' ? '' : `: ${detail}`}`,
      hint: 'Start it again: images and containers are on the data disk.',
    });
    await vm[Symbol.asyncDispose]();
    await this.#options.link.disconnect();
    await removeRecord(this.#options.paths.vm.record);
  }

  async #shutDown(): Promise<void> {
    const { paths, link, chooseBackend } = this.#options;
    const record = await readRecord(paths.vm.record);
    const vm = this.#running ?? (record && (await chooseBackend().attach(record)));
    if (vm === undefined) {
      if (this.#model.view.state.kind !== 'absent') this.#model.apply({ kind: 'gone' });
      return;
    }
    // One found running but never attached to: its state was not known until now.
    if (this.#model.view.state.kind === 'absent') this.#model.apply({ kind: 'start', atMs: Date.now() });
    try {
      const api = (await this.#reaches(vm)) ? new GuestApi(link) : undefined;
      const report = (step: 'guest' | 'power-button' | 'kill'): void => this.#model.apply({ kind: 'stop', step });
      await shutDown({ vm, api, deadlines: usualDeadlines, report });
    } catch (error) {
      const { message } = toErrorView(error);
      this.#model.apply({ kind: 'fail', stage: 'process', message, hint: 'End the process by hand.' });
      throw error;
    }
    this.#running = undefined;
    await vm[Symbol.asyncDispose]();
    await link.disconnect();
    await removeRecord(paths.vm.record);
    this.#model.apply({ kind: 'gone' });
    this.#model.warnings([]);
  }

  /** A link that is down stays so: its own supervision is trying. */
  async #reaches(vm: RunningVm): Promise<boolean> {
    const { link, paths } = this.#options;
    if (link.state !== 'none') return link.state === 'up';
    try {
      await link.connect(await linkTarget(paths, vm.record));
      await link.waitUp(reachGuestMs);
      return true;
    } catch {
      return false;
    }
  }

  async #guestAnswers(signal?: AbortSignal): Promise<boolean> {
    const api = new GuestApi(this.#options.link);
    try {
      await withDeadline('ping the engine', 8000, (inner) => api.ping(inner), { signal });
      return true;
    } catch {
      signal?.throwIfAborted();
      return false;
    }
  }

  /** The host slept: the guest's clock stood still, and the connections may be dead without knowing it. */
  async #afterGap(): Promise<void> {
    if (this.#model.view.state.kind !== 'ready') return;
    const { link } = this.#options;
    const api = new GuestApi(link);
    const set = (): Promise<void> =>
      withDeadline("set the guest's clock", 3000, (signal) => api.setClock(Date.now(), signal));
    try {
      await set();
    } catch {
      link.rebuild('no answer after the host slept');
      // If this fails too, the link's own supervision goes on and the view says 'down'.
      await set().catch(() => undefined);
    }
  }
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.then(
    () => undefined,
    () => undefined,
  );
}
