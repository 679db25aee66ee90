import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceleratorsFor, qemuArguments } from '../../../../../src-main/vm/qemu/arguments.ts';
import type { MachineSpec } from '../../../../../src-main/vm/backend.ts';

const machine: MachineSpec = {
  name: 'wherry-cd42691e',
  accelerator: 'tcg',
  cpus: 2,
  memoryMiB: 1024,
  image: {
    architecture: 'amd64',
    version: '0.1.0',
    id: 'f00d',
    kernel: '/img/vmlinuz',
    initramfs: '/img/initramfs.img',
    system: '/img/system.erofs',
  },
  kernelArgs: 'console=ttyS0 panic=-1',
  dataDisk: '/h/vm/data.qcow2',
  seedDisk: '/h/vm/seed.img',
  extraDisks: [],
  consoleLog: '/h/vm/console.log',
};

/** One option with its value a line. */
function lines(spec: MachineSpec, monitor: { path: string } | { port: number } = { path: '/h/vm/qmp.sock' }): string[] {
  const args = qemuArguments({ machine: spec, sshPort: 40_022, monitor, pidFile: '/h/vm/qemu.pid' });
  return args
    .join('\n')
    .replaceAll(/\n(?!-)/g, ' ')
    .split('\n');
}

test('amd64 under emulation', () => {
  assert.deepEqual(lines(machine), [
    '-name guest=wherry-cd42691e',
    '-nodefaults',
    '-no-user-config',
    '-display none',
    '-machine q35',
    '-accel tcg,thread=multi',
    '-cpu max',
    '-smp 2',
    '-m 1024M',
    '-no-reboot',
    '-rtc base=utc,clock=host',
    '-kernel /img/vmlinuz',
    '-initrd /img/initramfs.img',
    '-append console=ttyS0 panic=-1',
    '-drive if=none,id=system,file=/img/system.erofs,format=raw,readonly=on',
    '-device virtio-blk-pci,id=system-disk,drive=system,serial=wherry-system',
    '-drive if=none,id=data,file=/h/vm/data.qcow2,format=qcow2,discard=unmap,detect-zeroes=unmap',
    '-device virtio-blk-pci,id=data-disk,drive=data,serial=wherry-data,discard=on',
    '-drive if=none,id=seed,file=/h/vm/seed.img,format=raw,readonly=on',
    '-device virtio-blk-pci,id=seed-disk,drive=seed,serial=wherry-seed',
    '-netdev user,id=net0,hostfwd=tcp:127.0.0.1:40022-:22',
    '-device virtio-net-pci,netdev=net0,romfile=',
    '-device virtio-rng-pci',
    '-device virtio-balloon-pci,free-page-reporting=on',
    '-chardev null,id=console,logfile=/h/vm/console.log,logappend=on',
    '-serial chardev:console',
    '-chardev socket,id=monitor,path=/h/vm/qmp.sock,server=on,wait=off',
    '-mon chardev=monitor,mode=control',
    '-pidfile /h/vm/qemu.pid',
  ]);
});

test('emulated arm64 does without arm’s own slow pointer authentication', () => {
  const arm = lines({ ...machine, accelerator: 'tcg', image: { ...machine.image, architecture: 'arm64' } });
  assert.ok(arm.includes('-cpu max,pauth-impdef=on'), arm.join('\n'));
  assert.ok(lines({ ...machine, accelerator: 'tcg' }).includes('-cpu max'));
});

test('arm64 with Apple’s hypervisor differs in machine, accelerator and processor only', () => {
  const arm = lines({ ...machine, accelerator: 'hvf', image: { ...machine.image, architecture: 'arm64' } });
  const amd = lines(machine);
  const changed = arm.filter((line) => !amd.includes(line));
  assert.deepEqual(changed, ['-machine virt,gic-version=max', '-accel hvf', '-cpu host']);
});

test('Windows: its hypervisor with interrupts in QEMU, and a loopback port for the monitor', () => {
  const windows = lines({ ...machine, accelerator: 'whpx' }, { port: 50_123 });
  assert.ok(windows.includes('-accel whpx,kernel-irqchip=off'));
  assert.ok(windows.includes('-cpu max'));
  assert.ok(
    windows.includes('-chardev socket,id=monitor,host=127.0.0.1,port=50123,ipv6=off,server=on,wait=off'),
    windows.join('\n'),
  );
});

test('a comma in a path does not end the value', () => {
  const args = lines({ ...machine, dataDisk: '/h,x/data.qcow2', consoleLog: '/h,x/console.log' });
  assert.ok(args.some((line) => line.includes('file=/h,,x/data.qcow2,format=qcow2')));
  assert.ok(args.some((line) => line.includes('logfile=/h,,x/console.log,logappend=on')));
});

test('more disks are read-only and known by their serial', () => {
  const args = lines({ ...machine, extraDisks: [{ path: '/p.erofs', serial: 'wherry-payload' }] });
  assert.ok(args.includes('-drive if=none,id=extra0,file=/p.erofs,format=raw,readonly=on'));
  assert.ok(args.includes('-device virtio-blk-pci,id=extra0-disk,drive=extra0,serial=wherry-payload'));
});

test('each platform prefers its own hypervisor and ends with emulation', () => {
  assert.deepEqual(acceleratorsFor('linux'), ['kvm', 'tcg']);
  assert.deepEqual(acceleratorsFor('darwin'), ['hvf', 'tcg']);
  assert.deepEqual(acceleratorsFor('win32'), ['whpx', 'tcg']);
});
