/** One QEMU process for developers' tools and the guest tests: started, streamed, and gone on every path. */
import { spawn } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeErofs } from './build.ts';
import { kernelArgs, type KernelArgOptions } from './kernel-args.ts';
import { type Arch, payloadUuid } from './recipe.ts';
import { ImageError } from './steps.ts';
import { writeTar, type TarEntry } from './tar.ts';

/** What to boot. */
export interface MachineOptions {
  readonly arch: Arch;
  /** dist/guest/<arch> */
  readonly imageFolder: string;
  readonly args: Omit<KernelArgOptions, 'arch'>;
  /** Entries of the seed disk; empty for none. */
  readonly seed: readonly TarEntry[];
  /** Packed as the payload disk. */
  readonly payloadFolder?: string;
  /** Host loopback port -> guest port 22. */
  readonly sshPort?: number;
  /** Path of a unix socket on which QEMU's monitor (QMP) listens. */
  readonly monitorSocket?: string;
  readonly memoryMib: number;
  readonly cpus: number;
  readonly dataDiskBytes: number;
  readonly onConsole: (chunk: Buffer) => void;
  readonly signal: AbortSignal;
}

/** Boots the machine and waits until QEMU ends; resolves with its exit code. Aborting the signal kills it. */
export async function runMachine(options: MachineOptions): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-run-'));
  try {
    const disks = await makeDisks(folder, options);
    return await runQemu(machineArgs(options, disks), options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Disk {
  readonly role: 'system' | 'data' | 'seed' | 'payload';
  readonly file: string;
  readonly readOnly: boolean;
}

async function makeDisks(folder: string, options: MachineOptions): Promise<Disk[]> {
  const disks: Disk[] = [
    { role: 'system', file: path.join(options.imageFolder, 'system.erofs'), readOnly: true },
    { role: 'data', file: path.join(folder, 'data.raw'), readOnly: false },
  ];
  await writeSparse(path.join(folder, 'data.raw'), Buffer.alloc(0), options.dataDiskBytes);
  if (options.seed.length > 0) {
    const tar = writeTar(options.seed, Math.floor(Date.now() / 1000));
    await writeSparse(path.join(folder, 'seed.tar'), tar, Math.max(tar.length, 64 * 1024));
    disks.push({ role: 'seed', file: path.join(folder, 'seed.tar'), readOnly: true });
  }
  if (options.payloadFolder !== undefined) {
    await makeErofs(options.payloadFolder, path.join(folder, 'payload.erofs'), payloadUuid);
    disks.push({ role: 'payload', file: path.join(folder, 'payload.erofs'), readOnly: true });
  }
  return disks;
}

async function writeSparse(file: string, start: Buffer, sizeBytes: number): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.write(start);
    await handle.truncate(Math.ceil(sizeBytes / 512) * 512);
  } finally {
    await handle.close();
  }
}

function machineArgs(options: MachineOptions, disks: readonly Disk[]): string[] {
  const { arch, imageFolder, memoryMib, cpus, sshPort } = options;
  const forward = sshPort === undefined ? '' : `,hostfwd=tcp:127.0.0.1:${sshPort}-:22`;
  return [
    ...['-machine', arch === 'amd64' ? 'q35' : 'virt', '-accel', 'tcg,thread=multi'],
    // QEMU's own pointer authentication: emulating arm's cipher makes every function call slow.
    ...['-cpu', arch === 'amd64' ? 'max' : 'max,pauth-impdef=on'],
    ...['-smp', String(cpus), '-m', String(memoryMib)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot', '-rtc', 'base=utc'],
    ...['-kernel', path.join(imageFolder, 'vmlinuz'), '-initrd', path.join(imageFolder, 'initramfs.img')],
    ...['-append', kernelArgs({ arch, ...options.args })],
    ...disks.flatMap(diskArgs),
    ...['-netdev', `user,id=net0${forward}`, '-device', 'virtio-net-pci,netdev=net0,romfile='],
    ...['-device', 'virtio-rng-pci'],
    ...(options.monitorSocket === undefined ? [] : ['-qmp', `unix:${options.monitorSocket},server=on,wait=off`]),
  ];
}

function diskArgs(disk: Disk): string[] {
  const drive = `if=none,id=${disk.role},file=${disk.file},format=raw,discard=unmap,detect-zeroes=unmap`;
  return [
    '-drive',
    disk.readOnly ? `${drive},readonly=on` : drive,
    '-device',
    `virtio-blk-pci,drive=${disk.role},serial=wherry-${disk.role}`,
  ];
}

function runQemu(args: readonly string[], options: MachineOptions): Promise<number> {
  const command = options.arch === 'amd64' ? 'qemu-system-x86_64' : 'qemu-system-aarch64';
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const kill = (): void => void child.kill('SIGKILL');
    child.stdout.on('data', options.onConsole);
    child.on('error', (error) => {
      const name = options.arch === 'amd64' ? 'qemu-system-x86' : 'qemu-system-arm';
      reject(new ImageError(`${command}: ${error.message}`, `install the package ${name}`, error));
    });
    child.on('close', (code) => {
      options.signal.removeEventListener('abort', kill);
      resolve(code ?? 1);
    });
    options.signal.addEventListener('abort', kill, { once: true });
    if (options.signal.aborted) kill();
  });
}
