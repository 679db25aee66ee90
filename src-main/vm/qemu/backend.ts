/** The QEMU back end: see {@link VmBackend} for the contract. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { AppError } from '../../contract/errors.ts';
import type { HomePaths } from '../../home.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../../process-identity.ts';
import { delay, withDeadline } from '../../wait.ts';
import type { BackendCapabilities, BackendProbe, MachineSpec, ProbeRequest, RunningVm } from '../backend.ts';
import type { StateFile, VmBackend, VmRecord } from '../backend.ts';
import { chooseAccelerator, probeWithKernel, rememberChoice } from './accelerator.ts';
import { acceleratorsFor, qemuArguments, type MonitorAddress } from './arguments.ts';
import { prepareQcow2 } from './disks.ts';
import { diedAtOnce, isQemuOf, killProcess, spawnDetached } from './process.ts';
import { findQemu, type QemuPrograms } from './programs.ts';
import { Qmp } from './qmp.ts';
import { QemuVm } from './running.ts';

const monitorDeadlineMs = 15_000;

export interface QemuBackendOptions {
  readonly paths: HomePaths;
  readonly architecture: 'amd64' | 'arm64';
  readonly env?: NodeJS.ProcessEnv;
}

export class QemuBackend implements VmBackend {
  readonly kind = 'qemu';
  readonly capabilities: BackendCapabilities = { network: 'static' };
  readonly #options: QemuBackendOptions;
  #programs: QemuPrograms | undefined;

  constructor(options: QemuBackendOptions) {
    this.#options = options;
  }

  async probe(request: ProbeRequest, signal?: AbortSignal): Promise<BackendProbe> {
    const { paths, architecture } = this.#options;
    // Looked up afresh: QEMU may have been installed since the last try.
    this.#programs = undefined;
    const programs = await this.#find(signal);
    const candidates = request.accelerator === 'auto' ? acceleratorsFor(process.platform) : [request.accelerator];
    const key = [programs.system, programs.version, request.kernel, candidates.join(), await hostAbilities()];
    const attempt = probeWithKernel({ system: programs.system, architecture, kernel: request.kernel });
    const choice = await rememberChoice(paths.vm.accelerator, key.join(' '), () =>
      chooseAccelerator(candidates, attempt, signal),
    );
    return { ...choice, version: programs.version };
  }

  async prepareDisk(file: string, sizeBytes: number, signal?: AbortSignal) {
    const { img } = await this.#find(signal);
    return prepareQcow2(img, file, sizeBytes, signal);
  }

  async start(machine: MachineSpec, signal?: AbortSignal): Promise<RunningVm> {
    return this.#launch(machine, [], signal);
  }

  async fingerprint(machine: MachineSpec, signal?: AbortSignal): Promise<string> {
    const { version } = await this.#find(signal);
    // Ports and sockets are new each time, and not in the state.
    const args = qemuArguments({ machine, sshPort: 0, monitor: { path: '' }, pidFile: '' });
    const parts = [version, machine.image.id, os.cpus()[0]?.model, args];
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  async restore(machine: MachineSpec, state: StateFile, signal?: AbortSignal): Promise<RunningVm> {
    // It was halted when it was saved, and stays so when it is loaded (QEMU: the run state migrates along).
    const vm = await this.#launch(machine, ['-incoming', 'defer'], signal);
    try {
      await vm.load(state, signal);
      return vm;
    } catch (error) {
      await vm.kill();
      await vm[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #launch(machine: MachineSpec, more: readonly string[], signal?: AbortSignal): Promise<QemuVm> {
    const { paths } = this.#options;
    const programs = await this.#find(signal);
    await this.#removeStale();
    const sshPort = await freeLoopbackPort();
    const monitor = this.#monitorAddress();
    const args = [...qemuArguments({ machine, sshPort, monitor, pidFile: paths.vm.pid }), ...more];
    const identity = await spawnDetached(programs.system, args, path.join(paths.logs, 'qemu.log'));
    try {
      const qmp = await connectMonitor(monitor, identity, path.join(paths.logs, 'qemu.log'), signal);
      const record: VmRecord = {
        version: 1,
        backend: 'qemu',
        process: identity,
        name: machine.name,
        accelerator: machine.accelerator,
        backendVersion: programs.version,
        ssh: { host: '127.0.0.1', port: sshPort },
        imageId: machine.image.id,
        fingerprint: await this.fingerprint(machine, signal),
        cpus: machine.cpus,
        memoryMiB: machine.memoryMiB,
        startedAtMs: Date.now(),
      };
      return new QemuVm(record, qmp, path.join(paths.logs, 'qemu.log'), paths.vm.stateSocket);
    } catch (error) {
      await killProcess(identity);
      throw error;
    }
  }

  async attach(record: VmRecord, signal?: AbortSignal): Promise<RunningVm | undefined> {
    const log = path.join(this.#options.paths.logs, 'qemu.log');
    if (!(await isSameProcess(record.process))) {
      await this.#removeStale();
      return undefined;
    }
    try {
      const qmp = await connectMonitor(this.#monitorAddress(), record.process, log, signal);
      return new QemuVm(record, qmp, log, this.#options.paths.vm.stateSocket);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(await isSameProcess(record.process))) return undefined;
      throw new AppError('vm-failed', `attach to the VM (process ${record.process.pid}): ${(error as Error).message}`, {
        hint: 'Its monitor does not answer. Use "wherry down" to end it, then "wherry up".',
        cause: error,
      });
    }
  }

  async #find(signal?: AbortSignal): Promise<QemuPrograms> {
    const { architecture, env = process.env } = this.#options;
    this.#programs ??= await findQemu({ architecture, env, platform: process.platform }, signal);
    return this.#programs;
  }

  /** Files of a QEMU that is gone. One that lives without a record would hold the disk: it is ended first. */
  async #removeStale(): Promise<void> {
    const { vm } = this.#options.paths;
    const pid = Number.parseInt(await readFile(vm.pid, 'utf8').catch(() => ''), 10);
    const identity = await identify(pid);
    if (identity !== undefined && (await isQemuOf(pid, vm.folder))) await killProcess(identity);
    await Promise.all([vm.pid, vm.qmpSocket, vm.stateSocket].map((file) => rm(file, { force: true })));
  }

  /** Windows: node has no unix sockets there, so a loopback port derived from the home takes its place. */
  #monitorAddress(): MonitorAddress {
    const { vm } = this.#options.paths;
    if (process.platform !== 'win32') return { path: vm.qmpSocket };
    return { port: 50_000 + (createHash('sha256').update(vm.folder).digest().readUInt16BE() % 10_000) };
  }
}

/** Retried while QEMU sets itself up; ends early when the process dies. */
async function connectMonitor(
  address: MonitorAddress,
  identity: ProcessIdentity,
  logFile: string,
  signal?: AbortSignal,
): Promise<Qmp> {
  const tryUntilThere = async (inner: AbortSignal): Promise<Qmp> => {
    for (;;) {
      inner.throwIfAborted();
      try {
        return await Qmp.connect(address, 5000, inner);
      } catch (error) {
        inner.throwIfAborted();
        if (!(await isSameProcess(identity))) throw await diedAtOnce(logFile);
        if (!(error instanceof AppError) || error.code !== 'unavailable') throw error;
        await delay(50, inner);
      }
    }
  };
  return withDeadline("reach the VM's monitor", monitorDeadlineMs, tryUntilThere, { signal });
}

/** What decides whether virtualisation works here; a device node is made anew at each boot of the host. */
async function hostAbilities(): Promise<string> {
  const kvm = await stat('/dev/kvm').catch(() => undefined);
  const groups = process.getgroups?.().join() ?? '';
  return `${os.release()} ${kvm === undefined ? '-' : `${kvm.ctimeMs} ${kvm.mode}`} ${process.getuid?.() ?? ''} ${groups}`;
}

async function freeLoopbackPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new AppError('internal', 'find a free port: no address');
  return address.port;
}
