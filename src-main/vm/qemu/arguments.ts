/** QEMU's command line as a pure function of the machine: golden tests pin it. */
import type { Accelerator } from '../../contract/vm.ts';
import type { MachineSpec } from '../backend.ts';

export interface QemuArgumentsInput {
  readonly machine: MachineSpec;
  /** Host loopback port that leads to the guest's SSH server. */
  readonly sshPort: number;
  readonly monitor: MonitorAddress;
  readonly pidFile: string;
}

/** A unix socket, or, where QEMU has none (Windows), a loopback port. */
export type MonitorAddress = { readonly path: string } | { readonly port: number };

/** The guest's fixed addresses in QEMU's user network. */
export const userNetwork = {
  guest: '10.0.2.15',
  gateway: '10.0.2.2',
  dns: '10.0.2.3',
  prefixLength: 24,
  netdev: 'net0',
} as const;

export function qemuArguments(input: QemuArgumentsInput): string[] {
  const { machine } = input;
  return [
    ...['-name', `guest=${quote(machine.name)}`],
    '-nodefaults',
    '-no-user-config',
    ...['-display', 'none'],
    ...['-machine', machineType(machine.image.architecture)],
    ...['-accel', acceleratorOption(machine.accelerator)],
    ...['-cpu', cpuModel(machine.accelerator, machine.image.architecture)],
    ...['-smp', String(machine.cpus)],
    ...['-m', `${machine.memoryMiB}M`],
    // A guest that reboots or panics ends the process, which is seen at once; a silent reboot loop is not.
    '-no-reboot',
    ...['-rtc', 'base=utc,clock=host'],
    ...['-kernel', machine.image.kernel],
    ...['-initrd', machine.image.initramfs],
    ...['-append', machine.kernelArgs],
    ...drive('system', machine.image.system, 'wherry-system', 'format=raw,readonly=on'),
    ...drive('data', machine.dataDisk, 'wherry-data', 'format=qcow2,discard=unmap,detect-zeroes=unmap'),
    ...drive('seed', machine.seedDisk, 'wherry-seed', 'format=raw,readonly=on'),
    ...machine.extraDisks.flatMap((disk, index) =>
      drive(`extra${index}`, disk.path, disk.serial, 'format=raw,readonly=on'),
    ),
    ...['-netdev', `user,id=${userNetwork.netdev},hostfwd=tcp:127.0.0.1:${input.sshPort}-:22`],
    // No boot from the network: without its ROM the card costs no time at start.
    ...['-device', `virtio-net-pci,netdev=${userNetwork.netdev},romfile=`],
    ...['-device', 'virtio-rng-pci'],
    ...['-device', 'virtio-balloon-pci,free-page-reporting=on'],
    // Appending lets the host cut the file while QEMU writes to it.
    ...['-chardev', `null,id=console,logfile=${quote(machine.consoleLog)},logappend=on`],
    ...['-serial', 'chardev:console'],
    ...['-chardev', `socket,id=monitor,${monitorOption(input.monitor)},server=on,wait=off`],
    ...['-mon', 'chardev=monitor,mode=control'],
    ...['-pidfile', input.pidFile],
  ];
}

export function machineType(architecture: MachineSpec['image']['architecture']): string {
  return architecture === 'amd64' ? 'q35' : 'virt,gic-version=max';
}

export function acceleratorOption(accelerator: MachineSpec['accelerator']): string {
  switch (accelerator) {
    case 'tcg':
      return 'tcg,thread=multi';
    case 'whpx':
      // Interrupts in the hypervisor hang Linux guests on several QEMU releases.
      return 'whpx,kernel-irqchip=off';
    default:
      return accelerator;
  }
}

/**
 * `host` needs a hypervisor that passes features through; WHPX and TCG do not. Emulating arm's own pointer
 * authentication makes every function call slow; QEMU has a cheaper one.
 */
export function cpuModel(
  accelerator: MachineSpec['accelerator'],
  architecture: MachineSpec['image']['architecture'],
): string {
  if (accelerator === 'kvm' || accelerator === 'hvf') return 'host';
  return accelerator === 'tcg' && architecture === 'arm64' ? 'max,pauth-impdef=on' : 'max';
}

/** Commas end a value in QEMU's options; doubled they stand for themselves. */
function quote(value: string): string {
  return value.replaceAll(',', ',,');
}

function drive(id: string, file: string, serial: string, options: string): string[] {
  const discard = options.includes('discard=unmap') ? ',discard=on' : '';
  return [
    ...['-drive', `if=none,id=${id},file=${quote(file)},${options}`],
    ...['-device', `virtio-blk-pci,id=${id}-disk,drive=${id},serial=${serial}${discard}`],
  ];
}

function monitorOption(address: MonitorAddress): string {
  return 'path' in address ? `path=${quote(address.path)}` : `host=127.0.0.1,port=${address.port},ipv6=off`;
}

/** In order of preference: the platform's own hypervisor first, then emulation, which always works. */
export function acceleratorsFor(platform: NodeJS.Platform): readonly Accelerator[] {
  switch (platform) {
    case 'darwin':
      return ['hvf', 'tcg'];
    case 'win32':
      return ['whpx', 'tcg'];
    default:
      return ['kvm', 'tcg'];
  }
}
