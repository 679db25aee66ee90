/**
 * Probes every stage between the user and a container, in order, and names the first broken one with its remedy.
 * It trusts no state: where it can it makes its own connection, so it also works when the owner process is stuck or absent.
 */
import type { DoctorCheck, Settings } from '../contract/vm.ts';
import type { HomePaths } from '../home.ts';
import { GuestApi } from '../link/guest-api.ts';
import { SshSession } from '../link/session.ts';
import { isSameProcess } from '../process-identity.ts';
import type { DoctorService } from '../services.ts';
import { withDeadline } from '../wait.ts';
import type { PortForward, RunningVm, VmBackend, VmRecord } from '../vm/backend.ts';
import { linkTarget } from '../vm/boot.ts';
import { openGuestImage } from '../vm/guest-image.ts';
import { readRecord } from '../vm/record.ts';
import { asleepWords, readSaved } from '../vm/saved-state.ts';
import {
  checkGuestStage,
  checkHome,
  checkLocalSocket,
  checkSpace,
  failed,
  isListening,
  ok,
  skipped,
} from './checks.ts';

const guestDeadlineMs = 15_000;
/** The doctor reads every byte of the image, whatever was found before. */
const readEverything = { has: () => false, add: () => undefined };
const readLog = 'See what the guest said last (wherry logs vm), then restart it: wherry down, wherry up';

export interface DoctorOptions {
  readonly paths: HomePaths;
  readonly settings: () => Settings;
  readonly imageFolder: string;
  readonly chooseBackend: () => VmBackend;
  /** The owner holds the VM's monitor, which serves one client: it lends its own. Absent without an owner. */
  readonly held?: () => HeldVm | undefined;
  /** Whether some process serves the docker socket now. */
  readonly hasOwner: () => Promise<boolean>;
}

/** The part of a running VM that the doctor asks. */
type HeldVm = Pick<RunningVm, 'status' | 'monitorForwards'>;

export class Doctor implements DoctorService {
  readonly #options: DoctorOptions;

  constructor(options: DoctorOptions) {
    this.#options = options;
  }

  async run(signal?: AbortSignal): Promise<readonly DoctorCheck[]> {
    const { paths } = this.#options;
    const checks = [await checkHome(paths), await checkSpace(paths), ...(await this.#checkParts(signal))];
    const record = await readRecord(paths.vm.record);
    if (record === undefined || !(await isSameProcess(record.process))) {
      // The socket is not tried: that would wake it.
      if ((await readSaved(paths.vm)) !== undefined) return [...checks, ...sleepingChecks()];
      return [...checks, ...stoppedChecks(record), await this.#checkSocket(signal)];
    }
    checks.push(ok('process', `${record.backend} ${record.backendVersion}, process ${record.process.pid}`));
    checks.push(...(await this.#checkMonitor(record, signal)));
    checks.push(...(await this.#checkGuest(record, signal)));
    checks.push(await this.#checkSocket(signal));
    return checks;
  }

  /** What a boot needs: QEMU, an accelerator, the system image. */
  async #checkParts(signal?: AbortSignal): Promise<DoctorCheck[]> {
    const { imageFolder, chooseBackend, settings } = this.#options;
    const checks: DoctorCheck[] = [];
    let kernel: string;
    try {
      const image = await openGuestImage(imageFolder, readEverything, signal);
      kernel = image.kernel;
      checks.push(ok('system image', `${image.version} for ${image.architecture}, ${image.id}`));
    } catch (error) {
      signal?.throwIfAborted();
      return [failed('system image', error, 'Build it with: npm run image')];
    }
    try {
      const backend = chooseBackend();
      const probe = await backend.probe({ accelerator: settings().vm.accelerator, kernel }, signal);
      checks.push(ok(backend.kind, probe.version));
      const [warning] = probe.warnings;
      if (warning === undefined) checks.push(ok('accelerator', probe.accelerator));
      else {
        const detail = `${probe.accelerator}. ${warning.message}`;
        checks.push({ name: 'accelerator', state: 'warning', detail, remedy: warning.hint });
      }
    } catch (error) {
      signal?.throwIfAborted();
      checks.push(failed('qemu', error, 'Install QEMU.'));
    }
    return checks;
  }

  async #checkMonitor(record: VmRecord, signal?: AbortSignal): Promise<DoctorCheck[]> {
    const remedy = 'End the VM with "wherry down", then start it with "wherry up".';
    const held = this.#options.held?.();
    if (held !== undefined) return monitorChecks(held, remedy, signal);
    if (await this.#options.hasOwner()) return [skipped('monitor', 'held by the Wherry process that runs')];
    try {
      const vm = await this.#options.chooseBackend().attach(record, signal);
      if (vm === undefined) return [failed('monitor', new Error('the VM has just ended'), remedy)];
      try {
        return await monitorChecks(vm, remedy, signal);
      } finally {
        await vm[Symbol.asyncDispose]();
      }
    } catch (error) {
      signal?.throwIfAborted();
      return [failed('monitor', error, remedy)];
    }
  }

  /** Over a connection of its own, so that a stuck link does not look like a stuck guest. */
  async #checkGuest(record: VmRecord, signal?: AbortSignal): Promise<DoctorCheck[]> {
    const checks: DoctorCheck[] = [];
    let session: SshSession;
    try {
      const target = await linkTarget(this.#options.paths, record);
      const connect = (inner: AbortSignal): Promise<SshSession> =>
        SshSession.open(target, { intervalMs: 5000, misses: 3 }, inner);
      session = await withDeadline('connect to the guest', guestDeadlineMs, connect, { signal });
      checks.push(ok('ssh', `${record.ssh.host}:${record.ssh.port}, keys verified`));
    } catch (error) {
      signal?.throwIfAborted();
      return [
        failed('ssh', error, readLog),
        ...['agent', 'disk', 'network', 'engine'].map((name) => skipped(name, 'not reachable')),
      ];
    }
    try {
      const api = new GuestApi({ connectEngine: (_purpose, inner) => session.openEngine(inner) });
      const health = await withDeadline('ask for health', guestDeadlineMs, (inner) => api.health(inner), { signal });
      checks.push(ok('agent', `version ${health.agent.version}, process ${health.agent.pid} in the guest`));
      const { freeBytes, sizeBytes } = health.disk;
      const space = freeBytes === undefined ? '' : `${gibibytes(freeBytes)} of ${gibibytes(sizeBytes ?? 0)} GiB free`;
      checks.push(checkGuestStage('disk', health.disk, space), checkGuestStage('network', health.network, 'up'));
      await withDeadline('ping the engine', guestDeadlineMs, (inner) => api.ping(inner), { signal });
      checks.push(checkGuestStage('engine', health.engine, 'answers'));
    } catch (error) {
      signal?.throwIfAborted();
      checks.push(failed(checks.length === 1 ? 'agent' : 'engine', error, readLog));
    } finally {
      session.destroy('the doctor is done');
    }
    return checks;
  }

  async #checkSocket(signal?: AbortSignal): Promise<DoctorCheck> {
    if (await this.#options.hasOwner()) return checkLocalSocket(this.#options.paths.dockerSocket, signal);
    return skipped('docker socket', 'no Wherry process serves it', 'Start one with: wherry up');
  }
}

async function monitorChecks(vm: HeldVm, remedy: string, signal?: AbortSignal): Promise<DoctorCheck[]> {
  try {
    const status = await vm.status(signal);
    const monitor: DoctorCheck =
      status === 'running'
        ? ok('monitor', 'running')
        : { name: 'monitor', state: 'failed', detail: `the VM is ${status}`, remedy };
    return [monitor, await checkPorts((await vm.monitorForwards?.forwards(signal)) ?? [])];
  } catch (error) {
    signal?.throwIfAborted();
    return [failed('monitor', error, remedy)];
  }
}

async function checkPorts(forwards: readonly PortForward[]): Promise<DoctorCheck> {
  const tcp = forwards.filter((forward) => forward.protocol === 'tcp');
  const listening = await Promise.all(tcp.map((forward) => isListening(forward.hostIp, forward.hostPort)));
  const dead = tcp.filter((_, index) => listening[index] === false);
  if (dead.length === 0) return ok('ports', forwards.length === 0 ? 'none published' : `${forwards.length} published`);
  const names = dead.map((forward) => `${forward.hostIp}:${forward.hostPort}`).join(', ');
  return { name: 'ports', state: 'failed', detail: `nothing listens on ${names}`, remedy: 'Restart the container.' };
}

function stoppedChecks(record: VmRecord | undefined): DoctorCheck[] {
  const remedy = 'Start the VM with: wherry up';
  const process: DoctorCheck =
    record === undefined
      ? skipped('process', 'the VM is stopped', remedy)
      : { name: 'process', state: 'failed', detail: `the VM (process ${record.process.pid}) has died`, remedy };
  return [
    process,
    ...['monitor', 'ssh', 'agent', 'disk', 'network', 'engine'].map((name) => skipped(name, 'the VM is stopped')),
  ];
}

function sleepingChecks(): DoctorCheck[] {
  const names = ['monitor', 'ssh', 'agent', 'disk', 'network', 'engine', 'docker socket'];
  return [ok('process', asleepWords), ...names.map((name) => skipped(name, 'the VM is asleep'))];
}

function gibibytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}
