/** One boot, or one attachment to a VM that runs already: from nothing to a guest that answers. */
import { kernelArgs } from '../../vm/image/kernel-args.ts';
import { AppError } from '../contract/errors.ts';
import type { NetworkSettings, Settings, VmStage, VmView } from '../contract/vm.ts';
import { writeDurably } from '../durable-file.ts';
import type { HomePaths } from '../home.ts';
import { GuestApi } from '../link/guest-api.ts';
import type { Link } from '../link/link.ts';
import { isSameProcess } from '../process-identity.ts';
import { raceAbort, withDeadline } from '../wait.ts';
import { attachRunning } from './attach-running.ts';
import type { GuestImage, MachineSpec, RunningVm, VmBackend, VmRecord, Warning } from './backend.ts';
import { extraCertificates } from './certificates.ts';
import { followConsole, keepFailedConsole, startConsole } from './console.ts';
import { guestImageId, openGuestImage, openVerifiedFiles } from './guest-image.ts';
import { vmIdentity, type VmIdentity } from './keys.ts';
import { GuestFault, readinessStages, reachStage, type GuestProbes, type ReadinessStage } from './readiness.ts';
import { readRecord, removeRecord, writeRecord } from './record.ts';
import { dropSaved } from './saved-state.ts';
import { buildSeed, proxyOf } from './seed.ts';

const gibibyte = 1024 ** 3;
const wholeBootMs = 150_000;
/** Emulation is slower than hardware by about this. */
const emulationFactor = 3;

export interface BootContext {
  readonly paths: HomePaths;
  readonly backend: VmBackend;
  readonly settings: Settings;
  readonly link: Link;
  readonly imageFolder: string;
  /** For tests and development: more disks and kernel words. */
  readonly extraDisks: readonly { readonly path: string; readonly serial: string }[];
  readonly devImage: boolean;
  readonly report: BootReport;
}

interface BootReport {
  stage(stage: VmStage, label: string): void;
  backend(backend: NonNullable<VmView['backend']>): void;
  warn(warnings: readonly Warning[]): void;
}

/** A boot failed. `retry`: trying again may help. */
export class BootFailure extends Error {
  readonly stage: VmStage;
  readonly reason: AppError;
  readonly retry: boolean;

  constructor(stage: VmStage, reason: AppError, retry: boolean) {
    super(reason.message, { cause: reason });
    this.stage = stage;
    this.reason = reason;
    this.retry = retry;
  }
}

/** @throws BootFailure; or the signal's reason when aborted. Nothing is left running that this call started. */
export async function boot(context: BootContext, signal: AbortSignal): Promise<RunningVm> {
  let stage = 'prepare' as VmStage;
  const report: BootReport = {
    ...context.report,
    stage: (next, label) => {
      stage = next;
      context.report.stage(next, label);
    },
  };
  const reporting: BootContext = { ...context, report };
  let attached = false;
  try {
    report.stage('prepare', 'Looking for a running VM');
    const running = await attach(reporting, signal);
    if (running !== undefined) {
      attached = true;
      const undo = (): PromiseLike<void> => running[Symbol.asyncDispose]();
      return await reachGuest({
        vm: running,
        context: reporting,
        undo,
        stages: readinessStages,
        deadlineMs: wholeBootMs,
        signal,
      });
    }
    const machine = await prepare(reporting, signal);
    report.stage('process', 'Starting the VM');
    const started = await context.backend.start(machine, signal);
    const undo = (): Promise<void> => discard(started, context);
    return await reachGuest({
      vm: started,
      context: reporting,
      undo,
      stages: readinessStages,
      deadlineMs: wholeBootMs,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    const reason =
      error instanceof AppError ? error : new AppError('vm-failed', (error as Error).message, { cause: error });
    const retry = !attached && stage !== 'prepare' && !(reason instanceof GuestFault);
    throw new BootFailure(stage, reason, retry);
  }
}

async function attach(context: BootContext, signal: AbortSignal): Promise<RunningVm | undefined> {
  const { paths, backend, report } = context;
  const record = await readRecord(paths.vm.record);
  if (record === undefined || record.backend !== backend.kind) return undefined;
  const running = await attachRunning(paths, backend, record, signal);
  if (running === undefined) {
    await removeRecord(paths.vm.record);
    return undefined;
  }
  report.backend({ kind: record.backend, accelerator: record.accelerator, version: record.backendVersion });
  const present = await guestImageId(context.imageFolder);
  if (present !== undefined && present !== record.imageId) report.warn([newerImage]);
  return running;
}

const newerImage: Warning = {
  message: 'The system image has changed since this VM was started.',
  hint: 'Restart the VM to use the new one; containers with a restart policy come back.',
};

/** Everything that must be there before QEMU starts. */
async function prepare(context: BootContext, signal: AbortSignal): Promise<MachineSpec> {
  const { paths, backend, settings, report } = context;
  report.stage('prepare', 'Checking the system image');
  const image = await openImage(context, signal);
  report.stage('prepare', 'Choosing the accelerator');
  const probe = await backend.probe({ accelerator: settings.vm.accelerator, kernel: image.kernel }, signal);
  report.backend({ kind: backend.kind, accelerator: probe.accelerator, version: probe.version });
  report.warn(probe.warnings);
  report.stage('prepare', 'Preparing the disks');
  // What boots writes to the disk: no saved state fits to it any more.
  await dropSaved(paths.vm);
  await backend.prepareDisk(paths.vm.dataDisk, settings.vm.diskGiB * gibibyte, signal);
  const identity = await vmIdentity(paths);
  await writeSeed(paths, backend, identity, settings.network);
  await startConsole(paths.vm.console);
  const { cpus, memoryMiB } = settings.vm;
  return describeMachine(context, image, { accelerator: probe.accelerator, cpus, memoryMiB });
}

/** The image, its files found whole now or before. */
export async function openImage(context: BootContext, signal: AbortSignal): Promise<GuestImage> {
  const verified = await openVerifiedFiles(context.paths.vm.verified);
  const image = await openGuestImage(context.imageFolder, verified, signal);
  await verified.save();
  return image;
}

/** The machine of this home with these resources. */
export async function describeMachine(
  context: BootContext,
  image: GuestImage,
  { accelerator, cpus, memoryMiB }: Pick<MachineSpec, 'accelerator' | 'cpus' | 'memoryMiB'>,
): Promise<MachineSpec> {
  const { paths } = context;
  const { instanceId } = await vmIdentity(paths);
  return {
    name: `wherry-${instanceId.slice(0, 8)}`,
    accelerator,
    cpus,
    memoryMiB,
    image,
    kernelArgs: bootArguments(image, context.devImage),
    dataDisk: paths.vm.dataDisk,
    seedDisk: paths.vm.seedDisk,
    extraDisks: context.extraDisks,
    consoleLog: paths.vm.console,
  };
}

function bootArguments(image: GuestImage, dev: boolean): string {
  return kernelArgs({ arch: image.architecture, ...(dev && { dev }) });
}

async function writeSeed(
  paths: HomePaths,
  backend: VmBackend,
  identity: VmIdentity,
  network: NetworkSettings,
): Promise<void> {
  const certificates = [(await extraCertificates()) ?? '', network.certificates].join('');
  const seed = await buildSeed({
    instanceId: identity.instanceId,
    hostname: 'wherry',
    clockMs: Date.now(),
    network: backend.capabilities.network,
    hostKey: identity.hostKey,
    clientPublicLine: identity.clientPublicLine,
    proxy: proxyOf(network, process.env),
    insecureRegistries: network.insecureRegistries,
    registryMirrors: network.registryMirrors,
    addressPools: network.addressPools,
    certificates: certificates === '' ? undefined : certificates,
  });
  await writeDurably(paths.vm.seedDisk, seed);
}

export interface ReachRequest {
  readonly vm: RunningVm;
  readonly context: BootContext;
  /** What is waited for, in order. */
  readonly stages: readonly ReadinessStage[];
  /** On real hardware; an emulated guest gets more. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Runs on failure, before the error goes on. */
  readonly undo: () => PromiseLike<void>;
}

/** From a live process to a guest that answers. */
export async function reachGuest({ vm, context, stages, deadlineMs, signal, undo }: ReachRequest): Promise<RunningVm> {
  const { report } = context;
  const emulated = vm.record.accelerator === 'tcg';
  const watch = new AbortController();
  const over = new AbortController();
  try {
    await writeRecord(context.paths.vm.record, vm.record);
    report.stage('monitor', 'Asking the VM for its state');
    await vm.status(signal);
    const target = await linkTarget(context.paths, vm.record);
    report.stage('ssh', 'Waiting for the guest to start');
    await context.link.connect(target);
    void tellConsoleStages(context, AbortSignal.any([signal, watch.signal]));
    const ready = async (inner: AbortSignal): Promise<void> => {
      const either = AbortSignal.any([inner, over.signal]);
      const reached = reachReady(context, stages, emulated ? emulationFactor : 1, watch, either);
      await raceAbort(Promise.race([reached, failOnExit(vm)]), inner);
    };
    await withDeadline('boot the VM', deadlineMs * (emulated ? emulationFactor : 1), ready, { signal });
    return vm;
  } catch (error) {
    await keepFailedConsole(context.paths.vm.console, `${context.paths.logs}/failed-boot.log`).catch(() => undefined);
    await context.link.disconnect();
    await undo();
    throw error;
  } finally {
    watch.abort();
    over.abort();
  }
}

async function reachReady(
  context: BootContext,
  stages: readonly ReadinessStage[],
  factor: number,
  consoleWatch: AbortController,
  signal: AbortSignal,
): Promise<void> {
  const api = new GuestApi(context.link);
  const probes: GuestProbes = {
    ssh: (inner) => context.link.waitUp(5000, inner),
    health: (inner) => withDeadline('ask for health', 5000 * factor, (each) => api.health(each), { signal: inner }),
    ping: (inner) => withDeadline('ping the engine', 5000 * factor, (each) => api.ping(each), { signal: inner }),
  };
  for (const stage of stages) {
    if (stage.stage !== 'ssh') context.report.stage(stage.stage, stage.label);
    await reachStage(stage, probes, { factor, pauseMs: 150 }, signal);
    if (stage.stage === 'ssh') consoleWatch.abort();
  }
}

export async function linkTarget(paths: HomePaths, record: VmRecord) {
  const identity = await vmIdentity(paths);
  return { ...record.ssh, hostKey: identity.hostPublicKey, clientKey: identity.clientKey };
}

async function failOnExit(vm: RunningVm): Promise<never> {
  const { detail } = await vm.exited;
  throw new AppError('vm-failed', `start the guest: the VM ended by itself${detail === '' ? '' : `: ${detail}`}`, {
    hint: 'See what the guest said last: wherry logs vm',
  });
}

const guestStageLabels: Readonly<Record<string, string>> = {
  init: 'The kernel has started',
  seed: 'Reading the seed disk',
  network: "Setting up the guest's network",
  agent: 'Starting the agent',
};

/** Finer progress while nothing else can be asked: init says on the serial console what it does. */
async function tellConsoleStages(context: BootContext, signal: AbortSignal): Promise<void> {
  let rest = '';
  for await (const text of followConsole(context.paths.vm.console, signal)) {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-1000);
    for (const line of lines) {
      const label = guestStageLabels[/wherry: stage (\w+)/.exec(line)?.[1] ?? ''];
      if (label !== undefined && !signal.aborted) context.report.stage('ssh', label);
    }
  }
}

/** Ends what this process started. */
export async function discard(vm: RunningVm, context: BootContext): Promise<void> {
  await vm.kill();
  await vm[Symbol.asyncDispose]();
  if (!(await isSameProcess(vm.record.process))) await removeRecord(context.paths.vm.record);
}
