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
import type { GuestImage, RunningVm, VmBackend, VmRecord, Warning } from './backend.ts';
import { extraCertificates } from './certificates.ts';
import { followConsole, keepFailedConsole, startConsole } from './console.ts';
import { guestImageId, openGuestImage, openVerifiedFiles } from './guest-image.ts';
import { vmIdentity, type VmIdentity } from './keys.ts';
import { GuestFault, readinessStages, reachStage, type GuestProbes } from './readiness.ts';
import { readRecord, removeRecord, writeRecord } from './record.ts';
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
  let attached = false;
  try {
    report.stage('prepare', 'Looking for a running VM');
    const running = await attach(context, report, signal);
    if (running !== undefined) {
      attached = true;
      return await withGuest(running, context, report, signal, async () => {
        await running[Symbol.asyncDispose]();
      });
    }
    const machine = await prepare(context, report, signal);
    report.stage('process', 'Starting the VM');
    const started = await context.backend.start(machine, signal);
    return await withGuest(started, context, report, signal, () => discard(started, context));
  } catch (error) {
    signal.throwIfAborted();
    const reason =
      error instanceof AppError ? error : new AppError('vm-failed', (error as Error).message, { cause: error });
    const retry = !attached && stage !== 'prepare' && !(reason instanceof GuestFault);
    throw new BootFailure(stage, reason, retry);
  }
}

async function attach(context: BootContext, report: BootReport, signal: AbortSignal): Promise<RunningVm | undefined> {
  const { paths, backend } = context;
  const record = await readRecord(paths.vm.record);
  if (record === undefined || record.backend !== backend.kind) return undefined;
  const running = await backend.attach(record, signal);
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
async function prepare(context: BootContext, report: BootReport, signal: AbortSignal) {
  const { paths, backend, settings } = context;
  report.stage('prepare', 'Checking the system image');
  const verified = await openVerifiedFiles(paths.vm.verified);
  const image = await openGuestImage(context.imageFolder, verified, signal);
  await verified.save();
  report.stage('prepare', 'Choosing the accelerator');
  const probe = await backend.probe({ accelerator: settings.vm.accelerator, kernel: image.kernel }, signal);
  report.backend({ kind: backend.kind, accelerator: probe.accelerator, version: probe.version });
  report.warn(probe.warnings);
  report.stage('prepare', 'Preparing the disks');
  await backend.prepareDisk(paths.vm.dataDisk, settings.vm.diskGiB * gibibyte, signal);
  const identity = await vmIdentity(paths);
  await writeSeed(paths, backend, identity, settings.network);
  await startConsole(paths.vm.console);
  return {
    name: `wherry-${identity.instanceId.slice(0, 8)}`,
    accelerator: probe.accelerator,
    cpus: settings.vm.cpus,
    memoryMiB: settings.vm.memoryMiB,
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

/** From a live process to a guest that answers; on failure `undo` runs before the error goes on. */
async function withGuest(
  vm: RunningVm,
  context: BootContext,
  report: BootReport,
  signal: AbortSignal,
  undo: () => Promise<void>,
): Promise<RunningVm> {
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
    void tellConsoleStages(context, report, AbortSignal.any([signal, watch.signal]));
    const ready = async (inner: AbortSignal): Promise<void> => {
      const reached = reachReady(
        context,
        report,
        emulated ? emulationFactor : 1,
        watch,
        AbortSignal.any([inner, over.signal]),
      );
      await raceAbort(Promise.race([reached, failOnExit(vm)]), inner);
    };
    await withDeadline('boot the VM', wholeBootMs * (emulated ? emulationFactor : 1), ready, { signal });
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
  report: BootReport,
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
  for (const stage of readinessStages) {
    if (stage.stage !== 'ssh') report.stage(stage.stage, stage.label);
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
async function tellConsoleStages(context: BootContext, report: BootReport, signal: AbortSignal): Promise<void> {
  let rest = '';
  for await (const text of followConsole(context.paths.vm.console, signal)) {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-1000);
    for (const line of lines) {
      const label = guestStageLabels[/wherry: stage (\w+)/.exec(line)?.[1] ?? ''];
      if (label !== undefined && !signal.aborted) report.stage('ssh', label);
    }
  }
}

async function discard(vm: RunningVm, context: BootContext): Promise<void> {
  await vm.kill();
  await vm[Symbol.asyncDispose]();
  if (!(await isSameProcess(vm.record.process))) await removeRecord(context.paths.vm.record);
}
