/** The kernel, its modules and the initramfs, from the unpacked kernel package. */
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { run } from './commands.ts';
import { type CpioEntry, writeCpio } from './cpio.ts';
import { type ModuleTables, resolveModules } from './kernel-modules.ts';
import { modules } from './recipe.ts';
import { ImageError } from './steps.ts';

/** Where the parts of an unpacked kernel package are. */
export interface KernelFiles {
  readonly version: string;
  readonly vmlinuz: string;
  /** lib/modules/<version> */
  readonly modulesFolder: string;
}

export async function findKernel(packageFolder: string): Promise<KernelFiles> {
  const image = (await readdir(path.join(packageFolder, 'boot'))).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) throw new ImageError(`${packageFolder}: holds no kernel`);
  const version = image.slice('vmlinuz-'.length);
  const library = path.join(packageFolder, 'lib', 'modules', version);
  return { version, vmlinuz: path.join(packageFolder, 'boot', image), modulesFolder: library };
}

/** depmod adds its tables to the unpacked package, which ships without them. */
async function readTables(kernel: KernelFiles): Promise<ModuleTables> {
  const base = path.resolve(kernel.modulesFolder, '..', '..', '..');
  await run('depmod', ['-b', base, kernel.version], { hint: 'install the package kmod' });
  return {
    dependencies: await readFile(path.join(kernel.modulesFolder, 'modules.dep'), 'utf8'),
    builtin: await readFile(path.join(kernel.modulesFolder, 'modules.builtin'), 'utf8'),
  };
}

const traceSections = ['_ftrace_events', '.rela_ftrace_events', '_ftrace_eval_map', '.rela_ftrace_eval_map'];

/**
 * A module's bytes without signature, symbols nobody links to, type information and trace events: without hardware
 * virtualisation that halves the second that loading xfs takes. What the image holds is vouched for by its manifest,
 * not by module signatures. Modules that register functions for BPF programs need their types.
 */
async function slimModule(file: string, strip: string, workFolder: string): Promise<Buffer> {
  const target = path.join(workFolder, 'module.ko');
  const forBpf = (await readFile(file)).includes('register_btf_kfunc_id_set');
  const dropped = [...traceSections, ...(forBpf ? [] : ['.BTF'])];
  await run(strip, ['--strip-unneeded', ...dropped.flatMap((name) => ['-R', name]), '-o', target, file]);
  return await readFile(target);
}

/** Writes the initramfs: init, the modules for the disks, and the order to load them in. */
export async function buildInitramfs(
  kernel: KernelFiles,
  init: string,
  strip: string,
  workFolder: string,
  target: string,
): Promise<void> {
  const tables = await readTables(kernel);
  const lists = { virtio: resolveModules(tables, modules.virtio), hyperv: resolveModules(tables, modules.hyperv) };
  const entries: CpioEntry[] = [
    { kind: 'folder', path: 'dev' },
    { kind: 'device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'file', path: 'init', mode: 0o755, content: await readFile(init) },
    { kind: 'folder', path: 'lib' },
    { kind: 'folder', path: 'lib/modules' },
  ];
  for (const file of [...new Set([...lists.virtio, ...lists.hyperv])].sort()) {
    const content = await slimModule(path.join(kernel.modulesFolder, file), strip, workFolder);
    entries.push({ kind: 'file', path: `lib/modules/${path.basename(file)}`, mode: 0o644, content });
  }
  for (const [name, files] of Object.entries(lists)) {
    const content = Buffer.from(files.map((file) => `/lib/modules/${path.basename(file)}\n`).join(''));
    entries.push({ kind: 'file', path: `lib/modules-${name}`, mode: 0o644, content });
  }
  for (const name of ['newroot', 'proc', 'sys']) entries.push({ kind: 'folder', path: name });
  await writeFile(target, gzipSync(writeCpio(entries), { level: 9 }));
}

/** Puts the modules the system disk carries into a root tree, with depmod's tables and the lists init loads. */
export async function installModules(
  kernel: KernelFiles,
  strip: string,
  workFolder: string,
  tree: string,
): Promise<void> {
  const tables = await readTables(kernel);
  const target = path.join(tree, 'usr', 'lib', 'modules', kernel.version);
  const wanted = resolveModules(tables, Object.values(modules).flat());
  for (const file of wanted) {
    await mkdir(path.dirname(path.join(target, file)), { recursive: true });
    const content = await slimModule(path.join(kernel.modulesFolder, file), strip, workFolder);
    await writeFile(path.join(target, file), content, { mode: 0o644 });
  }
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    await copyFile(path.join(kernel.modulesFolder, name), path.join(target, name));
  }
  await run('depmod', ['-b', path.join(tree, 'usr'), kernel.version], { hint: 'install the package kmod' });
  for (const name of await readdir(target)) {
    // busybox reads the text tables only.
    if (name.endsWith('.bin') || name === 'modules.builtin.modinfo' || name === 'modules.devname') {
      await rm(path.join(target, name));
    }
  }
  await writeLists(tables, kernel.version, path.join(tree, 'usr', 'lib', 'wherry-boot'));
}

async function writeLists(tables: ModuleTables, version: string, folder: string): Promise<void> {
  const lists = {
    'network-virtio': modules.networkVirtio,
    'network-hyperv': modules.networkHyperv,
    late: modules.late,
    'late-virtio': modules.lateVirtio,
    'late-hyperv': modules.lateHyperv,
  };
  await mkdir(folder, { recursive: true });
  for (const [name, wanted] of Object.entries(lists)) {
    const files = resolveModules(tables, wanted).map((file) => `/usr/lib/modules/${version}/${file}\n`);
    await writeFile(path.join(folder, `modules-${name}`), files.join(''));
  }
}
