/** The VM as a service: one operation at a time, the state machine around it, and the watch over a VM that runs. */
import { rm } from 'node:fs/promises';
import { AppError, toErrorView } from '../contract/errors.ts';
import type { VmState, VmView } from '../contract/vm.ts';
import { dockerHost, type HomePaths } from '../home.ts';
import { GuestApi } from '../link/guest-api.ts';
import type { Link } from '../link/link.ts';
import { isSameProcess } from '../process-identity.ts';
import type { SettingsService, Unsubscribe, VmService } from '../services.ts';
import { raceAbort, withDeadline } from '../wait.ts';
import { attachRunning } from './attach-running.ts';
import type { RunningVm, VmBackend, Warning } from './backend.ts';
import { boot, BootFailure, linkTarget, type BootContext } from './boot.ts';
import { boundConsole, followConsole } from './console.ts';
import { readRecord, removeRecord } from './record.ts';
import { dropSaved, readSaved } from './saved-state.ts';
import { shutDown, usualDeadlines } from './shutdown.ts';
import { fallAsleep, wake } from './sleep.ts';
import { ViewModel } from './view.ts';

const bootAttempts = 2;
const consoleCheckMs = 30_000;
/** For a VM that nobody was attached to; an emulated guest needs a second or two to greet. */
const reachGuestMs = 5000;

type ReadyState = Extract<VmState, { kind: 'ready' }>;

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
  readonly kind: 'start' | 'sleep' | 'stop';
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

  /** Called once, before anything is asked of it: a VM that an earlier process put to sleep still sleeps. */
  async findSleeping(): Promise<void> {
    if ((await this.hasRunningVm()) || (await readSaved(this.#options.paths.vm)) === undefined) return;
    this.#model.apply({ kind: 'asleep' });
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
      this.#begin('start', (cancelled) => this.#wakeOrBoot(cancelled)),
      signal,
    );
  }

  async sleep(idle: boolean, signal?: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#operation?.kind === 'sleep') return raceAbort(this.#operation.done, signal);
      if (this.#operation === undefined) break;
      await raceAbort(settled(this.#operation.done), signal);
    }
    const { state } = this.#model.view;
    if (state.kind === 'sleeping') return;
    const vm = this.#running;
    if (state.kind !== 'ready' || vm === undefined) {
      throw new AppError('vm-absent', 'put the VM to sleep: it is not running');
    }
    await raceAbort(
      this.#begin('sleep', (cancelled) => this.#fallAsleep(vm, state, idle, cancelled)),
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
        if (this.#model.view.state.kind === 'sleeping') this.#model.apply({ kind: 'gone' });
        await dropSaved(this.#options.paths.vm);
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
    operation?.cancel.abort(new AppError('cancelled', `${operation.kind} the VM: the host is ending`));
    if (operation !== undefined) await settled(operation.done);
    for (const end of this.#unsubscribe) end();
    const running = this.#running;
    this.#running = undefined;
    await running?.[Symbol.asyncDispose]();
  }

  /** Waits for its end; a boot is told to end, and a VM that is being saved to run on. */
  async #cancelled(operation: Operation, signal: AbortSignal | undefined): Promise<void> {
    operation.cancel.abort(new AppError('cancelled', `${operation.kind} the VM: it was stopped meanwhile`));
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

  async #wakeOrBoot(cancelled: AbortSignal): Promise<void> {
    const warnings: Warning[] = [];
    if (this.#model.view.state.kind === 'sleeping') {
      const refused = await this.#wake(cancelled);
      if (refused === undefined) return;
      warnings.push({
        message: `The VM was started anew: its saved state could not be used: ${refused}`,
        hint: 'Images, containers and volumes are as they were; containers with a restart policy have come back.',
      });
    }
    await this.#bootWithRetry(cancelled);
    if (warnings.length > 0) this.#model.warnings([...warnings, ...this.#model.view.warnings]);
  }

  /** Undefined when it is ready, else why it must boot. */
  async #wake(cancelled: AbortSignal): Promise<string | undefined> {
    this.#model.apply({ kind: 'resume', atMs: Date.now() });
    try {
      const vm = await wake(this.#bootContext(), cancelled);
      if (typeof vm === 'string') return vm;
      this.#becomeReady(vm);
      return undefined;
    } catch (error) {
      // Cancelled while it was being read: it sleeps on.
      this.#model.apply({ kind: 'gone' });
      await this.findSleeping();
      throw error;
    }
  }

  async #fallAsleep(vm: RunningVm, ready: ReadyState, idle: boolean, cancelled: AbortSignal): Promise<void> {
    const begun = (): void => this.#model.apply({ kind: 'sleep' });
    try {
      await fallAsleep(this.#bootContext(), vm, { idle, begun, signal: cancelled });
    } catch (error) {
      if (this.#model.view.state.kind === 'sleeping') {
        this.#model.apply({ kind: 'stay', sinceMs: ready.sinceMs, bootTookMs: ready.bootTookMs });
      }
      throw error;
    }
    this.#running = undefined;
    this.#model.apply({ kind: 'asleep' });
    this.#model.warnings([]);
  }

  async #bootWithRetry(cancelled: AbortSignal): Promise<void> {
    this.#model.apply({ kind: 'start', atMs: Date.now() });
    this.#model.warnings([]);
    for (let attempt = 1; ; attempt++) {
      try {
        this.#becomeReady(await boot(this.#bootContext(), cancelled));
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

  #becomeReady(vm: RunningVm): void {
    this.#running = vm;
    void vm.exited.then(async ({ detail }) => {
      // Operations that end it know what they do; one that should have come back did not, when `sleep` has failed.
      if (this.#operation?.kind === 'stop') return;
      if (this.#operation?.kind === 'sleep') await settled(this.#operation.done);
      await this.#lost(vm, detail);
    });
    this.#model.apply({ kind: 'ready', atMs: Date.now() });
    for (const listener of this.#readyListeners) listener(vm);
  }

  async #lost(vm: RunningVm, detail: string): Promise<void> {
    if (this.#running !== vm) return;
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
    // What its containers have in memory is not to be lost: they are woken to be stopped.
    if (this.#model.view.state.kind === 'sleeping') await this.#wake(new AbortController().signal);
    const record = await readRecord(paths.vm.record);
    const vm = this.#running ?? (record && (await attachRunning(paths, chooseBackend(), record)));
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
    if (link.state === 'up' || link.state === 'down') return link.state === 'up';
    try {
      if (link.state === 'none') await link.connect(await linkTarget(paths, vm.record));
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
