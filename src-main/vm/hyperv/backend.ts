/**
 * Hyper-V on Windows, through PowerShell. See {@link VmBackend} for the contract and README.md for what was tried:
 * the scripts are golden-tested and the boot disk boots under UEFI firmware; on Windows itself this is untested.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contract/errors.ts';
import { identify, isSameProcess } from '../../process-identity.ts';
import { delay } from '../../wait.ts';
import type {
  BackendCapabilities,
  BackendProbe,
  MachineSpec,
  PreparedDisk,
  ProbeRequest,
  RunningVm,
  VmBackend,
  VmRecord,
} from '../backend.ts';
import { bootDisk } from './boot-disk.ts';
import { diskOutput, parseOutput, probeOutput, startOutput, statusOutput, type StatusOutput } from './parse.ts';
import { createPowerShell, type PowerShell } from './powershell.ts';
import { HyperVVm, noSleep } from './running.ts';
import { convertDiskScript, killScript, prepareDiskScript, probeScript, startScript, statusScript } from './scripts.ts';
import { unifiedKernel } from './uki.ts';
import { writeFixedVhd } from './vhd.ts';

const addressDeadlineMs = 90_000;
const pollMs = 500;

export interface HyperVBackendOptions {
  /** The VM's folder in the home: disks and the machine's configuration. */
  readonly folder: string;
  readonly run?: PowerShell;
}

export class HyperVBackend implements VmBackend {
  readonly kind = 'hyperv';
  readonly capabilities: BackendCapabilities = { network: 'dhcp' };
  readonly #folder: string;
  readonly #run: PowerShell;

  constructor(options: HyperVBackendOptions) {
    this.#folder = options.folder;
    this.#run = options.run ?? createPowerShell();
  }

  async probe(request: ProbeRequest, signal?: AbortSignal): Promise<BackendProbe> {
    const attempt = 'look for Hyper-V';
    if (request.accelerator !== 'auto') {
      throw new AppError('unsupported', `${attempt}: it has no accelerator to choose`, {
        hint: "Set the accelerator to 'auto', or the back end to 'qemu'.",
      });
    }
    const found = parseOutput(probeOutput, attempt, await this.#run(attempt, probeScript(), signal));
    if (!found.hasSwitch) {
      throw new AppError('unsupported', `${attempt}: there is no virtual switch named “Default Switch”`, {
        hint: 'Windows client editions make it with Hyper-V; on Windows Server make a NAT switch of that name.',
      });
    }
    return { accelerator: 'hyperv', version: found.version, warnings: [] };
  }

  async prepareDisk(file: string, sizeBytes: number, signal?: AbortSignal): Promise<PreparedDisk> {
    const attempt = `prepare ${asVhdx(file)}`;
    const output = await this.#run(attempt, prepareDiskScript(asVhdx(file), sizeBytes), signal);
    return parseOutput(diskOutput, attempt, output);
  }

  async start(machine: MachineSpec, signal?: AbortSignal): Promise<RunningVm> {
    const attempt = `start ${machine.name}`;
    const disks = await this.#disks(machine, signal);
    const probe = await this.probe({ accelerator: 'auto', kernel: machine.image.kernel }, signal);
    const consolePipe = `${machine.name}-console`;
    const { cpus, memoryMiB, name } = machine;
    const script = startScript({ name, cpus, memoryMiB, folder: this.#folder, disks, consolePipe });
    parseOutput(startOutput, attempt, await this.#run(attempt, script, signal));
    try {
      const { status, address } = await this.#waitForAddress(name, signal);
      const process = await identify(status.worker);
      if (!process) throw new AppError('vm-failed', `${attempt}: its worker process has ended already`);
      const record: VmRecord = {
        version: 1,
        backend: 'hyperv',
        process,
        name,
        accelerator: 'hyperv',
        backendVersion: probe.version,
        ssh: { host: address, port: 22 },
        imageId: machine.image.id,
        cpus,
        memoryMiB,
        startedAtMs: Date.now(),
      };
      return new HyperVVm({ record, run: this.#run, consolePipe, consoleLog: machine.consoleLog });
    } catch (error) {
      // Not under the caller's signal, which may be why we are here.
      await this.#run(`end ${name}`, killScript(name)).catch(() => undefined);
      throw error;
    }
  }

  async attach(record: VmRecord, signal?: AbortSignal): Promise<RunningVm | undefined> {
    if (!(await isSameProcess(record.process))) return undefined;
    const status = await this.#status(record.name, signal);
    if (status.state !== 'Running' && status.state !== 'Paused') return undefined;
    // The switch hands out addresses anew when Windows restarts or sleeps long.
    const address = status.addresses.includes(record.ssh.host) ? record.ssh.host : status.addresses[0];
    return new HyperVVm({
      record: { ...record, ssh: { host: address ?? record.ssh.host, port: record.ssh.port } },
      run: this.#run,
      consolePipe: `${record.name}-console`,
      consoleLog: path.join(this.#folder, 'console.log'),
    });
  }

  fingerprint(): Promise<never> {
    return Promise.reject(noSleep());
  }

  restore(): Promise<never> {
    return Promise.reject(noSleep());
  }

  async #status(name: string, signal?: AbortSignal): Promise<StatusOutput> {
    const attempt = `ask about ${name}`;
    return parseOutput(statusOutput, attempt, await this.#run(attempt, statusScript(name), signal));
  }

  /** The contract's disks as VHDX files, the boot disk first. The guest tells them by their file systems. */
  async #disks(machine: MachineSpec, signal?: AbortSignal): Promise<readonly string[]> {
    const boot = path.join(this.#folder, 'boot.img');
    await writeFile(boot, await bootDiskOf(machine), { mode: 0o600 });
    const raw: readonly (readonly [file: string, name: string])[] = [
      [boot, 'boot'],
      [machine.image.system, 'system'],
      [machine.seedDisk, 'seed'],
      ...machine.extraDisks.map(({ path: file }, index) => [file, `extra-${index}`] as const),
    ];
    const disks: string[] = [];
    for (const [file, name] of raw) disks.push(await this.#toVhdx(file, name, signal));
    await rm(boot, { force: true });
    return [...disks, asVhdx(machine.dataDisk)];
  }

  async #toVhdx(file: string, name: string, signal?: AbortSignal): Promise<string> {
    const vhd = path.join(this.#folder, `${name}.vhd`);
    const vhdx = path.join(this.#folder, `${name}.vhdx`);
    await writeFixedVhd(file, vhd, signal);
    await this.#run(`convert ${file}`, convertDiskScript(vhd, vhdx), signal);
    return vhdx;
  }

  async #waitForAddress(name: string, signal?: AbortSignal): Promise<{ status: StatusOutput; address: string }> {
    const until = performance.now() + addressDeadlineMs;
    while (performance.now() < until) {
      const status = await this.#status(name, signal);
      if (status.state !== 'Running' && status.state !== 'Starting') {
        throw new AppError('vm-failed', `start ${name}: the machine is ${status.state}`);
      }
      const [address] = status.addresses;
      if (address !== undefined && status.worker > 0) return { status, address };
      await delay(pollMs, signal);
    }
    throw new AppError('vm-failed', `start ${name}: it got no address within ${addressDeadlineMs / 1000} s`, {
      hint: 'Look at the serial console, and at the “Default Switch” in the Hyper-V Manager.',
    });
  }
}

/** The home names the data disk for QEMU. */
function asVhdx(file: string): string {
  return file.replace(/\.qcow2$/, '.vhdx');
}

async function bootDiskOf(machine: MachineSpec): Promise<Buffer> {
  const { image, kernelArgs } = machine;
  const stubFile = path.join(path.dirname(image.kernel), 'efi.stub');
  const [stub, kernel, initramfs] = await Promise.all([
    readFile(stubFile).catch((error: unknown) => {
      throw new AppError('image-missing', `build the boot disk: ${stubFile} cannot be read`, {
        hint: 'Build the guest image again: npm run image.',
        cause: error,
      });
    }),
    readFile(image.kernel),
    readFile(image.initramfs),
  ]);
  return bootDisk(unifiedKernel({ stub, kernel, initramfs, commandLine: kernelArgs }), image.architecture);
}
