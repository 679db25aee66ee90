import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import type { MachineSpec } from '../../../../../src-main/vm/backend.ts';
import { HyperVBackend } from '../../../../../src-main/vm/hyperv/backend.ts';
import { bootDisk } from '../../../../../src-main/vm/hyperv/boot-disk.ts';
import { parseOutput, runState, statusOutput } from '../../../../../src-main/vm/hyperv/parse.ts';
import {
  createPowerShell,
  powershellArguments,
  quote,
  scriptError,
  whole,
  type PowerShell,
} from '../../../../../src-main/vm/hyperv/powershell.ts';
import * as scripts from '../../../../../src-main/vm/hyperv/scripts.ts';
import { unifiedKernel } from '../../../../../src-main/vm/hyperv/uki.ts';
import { vhdFooter, writeFixedVhd } from '../../../../../src-main/vm/hyperv/vhd.ts';

const fixtures = path.resolve(import.meta.dirname, '../../../../fixtures/hyperv');

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'wherry-hyperv-'));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

const golden: Record<string, string> = {
  probe: scripts.probeScript(),
  'prepare-disk': scripts.prepareDiskScript("C:\\Users\\O'Brien\\Wherry\\vm\\data.vhdx", 64 * 1024 ** 3),
  'convert-disk': scripts.convertDiskScript('C:\\w\\seed.vhd', 'C:\\w\\seed.vhdx'),
  start: scripts.startScript({
    name: 'wherry-1a2b',
    cpus: 2,
    memoryMiB: 4096,
    folder: 'C:\\Users\\O’Brien\\Wherry\\vm',
    disks: ['C:\\w\\boot.vhdx', 'C:\\w\\system.vhdx', 'C:\\w\\data.vhdx'],
    consolePipe: 'wherry-1a2b-console',
  }),
  status: scripts.statusScript('wherry-1a2b'),
  'power-button': scripts.powerButtonScript('wherry-1a2b'),
  kill: scripts.killScript('wherry-1a2b'),
};

for (const [name, script] of Object.entries(golden)) {
  test(`the script ${name} is as it was read and agreed`, async () => {
    assert.equal(`${script}\n`, await readFile(path.join(fixtures, `${name}.ps1`), 'utf8'));
  });
}

test('no value can leave its quotes, whichever quotation marks it brings', () => {
  assert.equal(quote("it's"), "'it''s'");
  assert.equal(quote('$(calc) `n "x"; Remove-Item C:\\'), '\'$(calc) `n "x"; Remove-Item C:\\\'');
  for (const mark of ["'", '\u2018', '\u2019', '\u201a', '\u201b']) {
    assert.equal(quote(`a${mark}; calc #`), `'a${mark}${mark}; calc #'`);
  }
  assert.throws(() => quote('a\0b'), { code: 'invalid-input' });
  for (const bad of [-1, 1.5, NaN, Infinity, '1; calc' as never])
    assert.throws(() => whole(bad), { code: 'invalid-input' });
  const evil = "x'; Remove-VM *; '";
  for (const script of [scripts.statusScript(evil), scripts.killScript(evil), scripts.powerButtonScript(evil)]) {
    assert.ok(script.includes("'x''; Remove-VM *; '''"));
  }
});

test('a script reaches PowerShell encoded, and stops at its first error', () => {
  const args = powershellArguments('Get-VM');
  assert.deepEqual(args.slice(0, 3), ['-NoLogo', '-NoProfile', '-NonInteractive']);
  const text = Buffer.from(args.at(-1) ?? '', 'base64').toString('utf16le');
  assert.match(text, /^\$ErrorActionPreference = 'Stop'\n/);
  assert.match(text, /try \{\n {2}Get-VM\n\} catch \{/);
});

test('the runner gives what was printed, names failures, and ends what is cancelled', async () => {
  const shell = (script: string) => createPowerShell(process.execPath, ['-e', script, '--']);
  assert.equal(await shell('process.stdout.write("ok é")')('try', 'x'), 'ok é');
  await assert.rejects(shell('console.error("Hyper-V said no"); process.exit(1)')('start vm', 'x'), {
    code: 'vm-failed',
    message: 'start vm: Hyper-V said no',
  });
  await assert.rejects(createPowerShell('/nonexistent/powershell')('start vm', 'x'), {
    code: 'vm-failed',
    hint: /PATH/,
  });
  const abort = new AbortController();
  const waiting = shell('setInterval(() => {}, 1000)')('start vm', 'x', abort.signal);
  setTimeout(() => abort.abort(), 30);
  await assert.rejects(waiting, { code: 'cancelled' });
});

test('what PowerShell says is told with what to do', () => {
  const missing =
    "The term 'Get-VM' is not recognized as the name of a cmdlet, function, script file, or operable program.";
  assert.equal(scriptError('a', missing).code, 'unsupported');
  assert.match(
    scriptError('a', 'You do not have the required permission to complete this task.').hint ?? '',
    /Administrators/,
  );
  assert.match(
    scriptError('a', 'Not enough memory in the system to start the virtual machine').hint ?? '',
    /less memory/,
  );
});

test('outputs are read as Windows PowerShell writes them', () => {
  const read = (text: string) => parseOutput(statusOutput, 'ask', text);
  assert.deepEqual(read('\ufeff{"state":"Running","addresses":"172.20.1.5","worker":42}\r\n').addresses, [
    '172.20.1.5',
  ]);
  assert.deepEqual(read('{"state":"Running","addresses":["172.20.1.5","10.0.0.1"],"worker":42}').addresses.length, 2);
  for (const none of ['null', '{}', '[]'])
    assert.deepEqual(read(`{"state":"Off","addresses":${none},"worker":0}`).addresses, []);
  assert.throws(() => read('WARNING: something'), { code: 'vm-failed', message: /printed WARNING/ });
  assert.throws(() => read(''), { message: /printed nothing/ });
  assert.deepEqual(['Running', 'Paused', 'Off', 'Missing', 'Starting'].map(runState), [
    'running',
    'paused',
    'off',
    'off',
    'starting',
  ]);
});

test('a raw image becomes a VHD that keeps its bytes', async (t) => {
  const where = await folder(t);
  const source = path.join(where, 'raw.img');
  const target = path.join(where, 'disk.vhd');
  await writeFile(source, Buffer.alloc(700_000, 'wherry'));
  await writeFixedVhd(source, target);
  const made = await readFile(target);
  assert.equal(made.length, 1024 * 1024 + 512);
  assert.ok(made.subarray(0, 700_000).equals(await readFile(source)));
  assert.ok(made.subarray(-512).equals(vhdFooter(1024 * 1024)));
  const footer = vhdFooter(1024 ** 3);
  const sum = footer.reduce((total, byte, at) => (at >= 64 && at < 68 ? total : total + byte), 0);
  assert.equal(footer.readUInt32BE(64), ~sum >>> 0);
  // The specification's geometry of 1 GiB.
  assert.deepEqual([footer.readUInt16BE(56), footer.readUInt8(58), footer.readUInt8(59)], [2080, 16, 63]);
  await assert.rejects(writeFixedVhd(path.join(where, 'missing'), target), { code: 'ENOENT' });
  const info = spawnSync('qemu-img', ['info', '--output=json', '-f', 'vpc', target], { encoding: 'utf8' });
  if (info.error) t.diagnostic('qemu-img is not here: its own reading of the VHD was not checked');
  else assert.equal((JSON.parse(info.stdout) as { 'virtual-size': number })['virtual-size'], 1024 * 1024);
});

/** The smallest program that has the fields that are read. */
function tinyStub(): Buffer {
  const stub = Buffer.alloc(1024);
  stub.writeUInt32LE(0x80, 0x3c);
  stub.write('PE\0\0', 0x80, 'latin1');
  stub.writeUInt16LE(1, 0x80 + 6);
  stub.writeUInt16LE(112, 0x80 + 20);
  const header = 0x80 + 24;
  stub.writeUInt16LE(0x20b, header);
  stub.writeUInt32LE(0x1000, header + 32);
  stub.writeUInt32LE(0x200, header + 36);
  stub.writeUInt32LE(0x5000, header + 56);
  stub.writeUInt32LE(0x400, header + 60);
  return stub;
}

test('kernel, initramfs and command line become sections of the stub', () => {
  const parts = { kernel: Buffer.alloc(5000, 'k'), initramfs: Buffer.alloc(300, 'i'), commandLine: 'quiet é' };
  const made = unifiedKernel({ stub: tinyStub(), ...parts });
  const table = 0x80 + 24 + 112 + 40;
  const sections = [0, 1, 2].map((index) => {
    const at = table + index * 40;
    const [size, address, fileSize, offset] = [8, 12, 16, 20].map((field) => made.readUInt32LE(at + field));
    return {
      name: made.toString('latin1', at, at + 8).replace(/\0+$/, ''),
      size,
      address,
      fileSize,
      offset: offset ?? 0,
    };
  });
  assert.deepEqual(
    sections.map(({ name, size, address, offset }) => [name, size, address, offset]),
    [
      ['.cmdline', 9, 0x5000, 1024],
      ['.initrd', 300, 0x6000, 1536],
      ['.linux', 5000, 0x7000, 2048],
    ],
  );
  assert.equal(made.readUInt16LE(0x80 + 6), 4);
  assert.equal(made.readUInt32LE(0x80 + 24 + 56), 0x9000);
  assert.equal(made.toString('utf8', 1024, 1033), 'quiet é\0');
  assert.ok(made.subarray(2048, 7048).equals(parts.kernel));
  for (const bad of [Buffer.from('not a program'), Buffer.alloc(200)]) {
    assert.throws(() => unifiedKernel({ stub: bad, ...parts }), { code: 'image-missing' });
  }
  const full = tinyStub();
  full.writeUInt16LE(20, 0x80 + 6);
  assert.throws(() => unifiedKernel({ stub: full, ...parts }), { message: /no room/ });
});

test('the boot disk has two good partition tables and the program where firmware looks for it', () => {
  const program = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(100_000, 7), Buffer.from('end')]);
  const disk = bootDisk(program, 'amd64');
  assert.equal(disk.length % (1024 * 1024), 0);
  for (const at of [512, disk.length - 512]) {
    assert.equal(disk.toString('latin1', at, at + 8), 'EFI PART');
    const header = Buffer.from(disk.subarray(at, at + 92));
    const told = header.readUInt32LE(16);
    header.writeUInt32LE(0, 16);
    assert.equal(told, crc32(header));
    const entries = Number(header.readBigUInt64LE(72)) * 512;
    assert.equal(header.readUInt32LE(88), crc32(disk.subarray(entries, entries + 128 * 128)));
  }
  assert.deepEqual(readFat(disk.subarray(2048 * 512), ['EFI        ', 'BOOT       ', 'BOOTX64 EFI']), program);
  assert.ok(bootDisk(program, 'amd64').equals(disk));
  assert.ok(readFat(bootDisk(program, 'arm64').subarray(2048 * 512), ['EFI        ', 'BOOT       ', 'BOOTAA64EFI']));
});

/** A FAT32 reader of its own: follows folders and cluster chains by the tables alone. */
function readFat(partition: Buffer, names: readonly string[]): Buffer | undefined {
  const sector = partition.readUInt16LE(11);
  const reserved = partition.readUInt16LE(14);
  const fatSectors = partition.readUInt32LE(36);
  assert.ok(
    (partition.readUInt32LE(32) - reserved - 2 * fatSectors) / partition.readUInt8(13) >= 65_525,
    'it is FAT32',
  );
  const fat = reserved * sector;
  const data = (reserved + 2 * fatSectors) * sector;
  const chain = (first: number): Buffer => {
    const parts: Buffer[] = [];
    for (
      let cluster = first;
      cluster >= 2 && cluster < 0x0fff_fff8;
      cluster = partition.readUInt32LE(fat + cluster * 4)
    ) {
      parts.push(partition.subarray(data + (cluster - 2) * sector, data + (cluster - 1) * sector));
    }
    return Buffer.concat(parts);
  };
  let content = chain(partition.readUInt32LE(44));
  let size = content.length;
  for (const name of names) {
    const at = [...Array(content.length / 32).keys()].find(
      (n) => content.toString('latin1', n * 32, n * 32 + 11) === name,
    );
    if (at === undefined) return undefined;
    const entry = content.subarray(at * 32, at * 32 + 32);
    content = chain((entry.readUInt16LE(20) << 16) | entry.readUInt16LE(26));
    size = entry.readUInt32LE(28);
  }
  return content.subarray(0, size);
}

/** Answers scripts as a Windows machine would, and keeps them. */
function recordingShell(answers: Record<string, string | Error>): { run: PowerShell; attempts: string[] } {
  const attempts: string[] = [];
  return {
    attempts,
    run: (attempt) => {
      attempts.push(attempt);
      const found = Object.entries(answers).find(([start]) => attempt.startsWith(start))?.[1] ?? '';
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    },
  };
}

async function machine(t: TestContext): Promise<{ spec: MachineSpec; where: string }> {
  const where = await folder(t);
  for (const name of ['vmlinuz', 'initramfs.img', 'system.erofs', 'seed.img']) {
    await writeFile(path.join(where, name), Buffer.alloc(2000, name));
  }
  await writeFile(path.join(where, 'efi.stub'), tinyStub());
  const at = (name: string) => path.join(where, name);
  const spec: MachineSpec = {
    name: 'wherry-t',
    accelerator: 'hyperv',
    cpus: 2,
    memoryMiB: 2048,
    image: {
      architecture: 'amd64',
      version: '1',
      id: 'image-1',
      kernel: at('vmlinuz'),
      initramfs: at('initramfs.img'),
      system: at('system.erofs'),
    },
    kernelArgs: 'quiet',
    dataDisk: at('data.qcow2'),
    seedDisk: at('seed.img'),
    extraDisks: [],
    consoleLog: at('console.log'),
  };
  return { spec, where };
}

const running = JSON.stringify({ state: 'Running', addresses: ['127.0.0.1'], worker: process.pid });
const probed = '{"version":"2.0.0.0","processors":8,"hasSwitch":true}';

test('a machine is started with its disks, found by its address, and attached to later', async (t) => {
  const { spec, where } = await machine(t);
  const { run, attempts } = recordingShell({
    'look for': probed,
    'start wherry-t': '{"id":"x"}',
    'ask about': running,
  });
  const backend = new HyperVBackend({ folder: where, run });
  const vm = await backend.start(spec);
  assert.deepEqual(
    [vm.record.ssh, vm.record.backend, vm.record.process.pid],
    [{ host: '127.0.0.1', port: 22 }, 'hyperv', process.pid],
  );
  assert.equal(attempts.filter((attempt) => attempt.startsWith('convert')).length, 3);
  assert.equal(await vm.status(), 'running');
  await assert.rejects(vm.save('state'), { code: 'unsupported', message: /Hyper-V/ });
  assert.equal(vm.monitorForwards, undefined, 'the link forwards ports');
  await vm[Symbol.asyncDispose]();
  const again = await backend.attach(vm.record);
  assert.ok(again);
  assert.deepEqual(again.record, vm.record);
  await again[Symbol.asyncDispose]();
  assert.equal(
    await backend.attach({ ...vm.record, process: { pid: process.pid, started: 'another time' } }),
    undefined,
  );
});

test('a machine that gets no further is ended and its failure told', async (t) => {
  const { spec, where } = await machine(t);
  const { run, attempts } = recordingShell({
    'look for': probed,
    'start wherry-t': '{"id":"x"}',
    'ask about': '{"state":"Off","addresses":[],"worker":0}',
  });
  await assert.rejects(new HyperVBackend({ folder: where, run }).start(spec), { code: 'vm-failed', message: /is Off/ });
  assert.equal(attempts.at(-1), 'end wherry-t');
  await rm(path.join(where, 'efi.stub'));
  await assert.rejects(new HyperVBackend({ folder: where, run }).start(spec), { code: 'image-missing' });
  assert.ok(!(await stat(path.join(where, 'boot.img')).catch(() => undefined)));
});

test('a machine without the default switch, or with an accelerator asked for, is refused before anything is made', async () => {
  const without = recordingShell({ 'look for': '{"version":"2","processors":1,"hasSwitch":false}' });
  const backend = new HyperVBackend({ folder: '/nowhere', run: without.run });
  await assert.rejects(backend.probe({ accelerator: 'auto', kernel: '' }), { code: 'unsupported', hint: /Hyper-V/ });
  await assert.rejects(backend.probe({ accelerator: 'kvm', kernel: '' }), { code: 'unsupported' });
});
