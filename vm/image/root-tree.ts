/** Lays out the guest's root file system in a folder. */
import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readFile, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { resolveLibraries } from './libraries.ts';
import { type ArchRecipe, extraLibraries, programs } from './recipe.ts';
import { ImageError } from './steps.ts';

/** What the tree is made of. */
export interface TreeParts {
  readonly recipe: ArchRecipe;
  readonly packageFolders: readonly string[];
  readonly node: string;
  /** Our modprobe; see native/init/modprobe.c for why not busybox's. */
  readonly modprobe: string;
  readonly starter: string;
  /** Our programs: file name in /usr/lib/wherry -> file here. */
  readonly ownPrograms: ReadonlyMap<string, string>;
  /** Files taken as they are: vm/image/files. */
  readonly filesFolder: string;
}

/** Folders that must exist for mounts and links. */
const folders =
  'dev etc/ssl/certs payload proc root run sys tmp usr/bin usr/lib/wherry usr/sbin usr/share/wherry var'.split(' ');

/** Links by path: usr-merge, and what changes at run time lives in /run. */
const links: Readonly<Record<string, string>> = {
  bin: 'usr/bin',
  sbin: 'usr/sbin',
  lib: 'usr/lib',
  'etc/hostname': '/run/wherry/hostname',
  'etc/hosts': '/run/wherry/hosts',
  'etc/mtab': '/proc/self/mounts',
  'etc/resolv.conf': '/run/wherry/resolv.conf',
  'usr/local': '/run/local',
};

/** Builds the tree; `tree` is replaced. Kernel modules are added by installModules. */
export async function buildTree(tree: string, parts: TreeParts): Promise<void> {
  await rm(tree, { recursive: true, force: true });
  for (const folder of folders) await mkdir(path.join(tree, folder), { recursive: true });
  for (const [name, target] of Object.entries(links)) await symlink(target, path.join(tree, name));
  await cp(parts.filesFolder, tree, { recursive: true });
  await installPrograms(tree, parts);
  await installBusybox(tree, parts);
  await installCertificates(tree, parts);
  await cp(parts.starter, path.join(tree, 'usr/share/wherry/starter'), { recursive: true });
  await normaliseModes(tree);
}

function findPackaged(parts: TreeParts, name: string): string {
  const file = parts.packageFolders.map((folder) => path.join(folder, name)).find((one) => existsSync(one));
  if (file === undefined) throw new ImageError(`${name}: in none of the packages of vm/image/recipe.ts`);
  return file;
}

async function installPrograms(tree: string, parts: TreeParts): Promise<void> {
  const installed: string[] = [];
  const install = async (from: string, to: string): Promise<void> => {
    await copyFile(from, path.join(tree, to));
    await chmod(path.join(tree, to), 0o755);
    installed.push(path.join(tree, to));
  };
  for (const [packaged, target] of programs) await install(findPackaged(parts, packaged), target);
  await install(parts.node, 'usr/bin/node');
  await install(parts.modprobe, 'usr/sbin/modprobe');
  for (const [name, file] of parts.ownPrograms) {
    await mkdir(path.dirname(path.join(tree, 'usr/lib/wherry', name)), { recursive: true });
    await install(file, `usr/lib/wherry/${name}`);
  }
  await installLibraries(tree, parts, installed);
}

async function installLibraries(tree: string, parts: TreeParts, programFiles: readonly string[]): Promise<void> {
  const { triplet, loader } = parts.recipe;
  const folder = path.join(tree, 'usr/lib', triplet);
  await mkdir(folder, { recursive: true });
  const found = await resolveLibraries(programFiles, extraLibraries, parts.packageFolders, triplet);
  for (const [name, file] of found) await copyFile(await realpath(file), path.join(folder, name));
  const loaderName = path.basename(loader);
  // The loader's path is fixed in every program: lib64/… is a folder of its own, lib/… is usr/lib.
  const loaderFile = path.join(tree, loader.startsWith('lib64/') ? loader : path.join('usr', loader));
  await mkdir(path.dirname(loaderFile), { recursive: true });
  await symlink(path.posix.join('/usr/lib', triplet, loaderName), loaderFile);
}

async function installBusybox(tree: string, parts: TreeParts): Promise<void> {
  const binary = path.join(tree, 'usr/bin/busybox');
  await copyFile(findPackaged(parts, 'bin/busybox'), binary);
  for (const name of parseApplets(await readFile(binary))) {
    const systemTool = ['insmod', 'rmmod', 'lsmod', 'udhcpc', 'ip'].includes(name);
    const link = path.join(tree, systemTool ? 'usr/sbin' : 'usr/bin', name);
    if (!existsSync(link) && !existsSync(path.join(tree, 'usr/sbin', name))) await symlink('/usr/bin/busybox', link);
  }
}

/**
 * The applet names compiled into a busybox binary: a sorted table of NUL-ended names that begins with "[" and "[[".
 * Read from the file because a foreign architecture's busybox cannot be asked.
 */
export function parseApplets(binary: Buffer): string[] {
  const start = binary.indexOf('\0[\0[[\0');
  if (start < 0) throw new ImageError('busybox: its table of applets was not found');
  const end = binary.indexOf('\0\0', start + 1);
  return binary
    .subarray(start + 1, end)
    .toString('latin1')
    .split('\0')
    .filter((name) => name !== 'busybox' && name !== 'modprobe' && name !== 'depmod' && name !== '');
}

async function installCertificates(tree: string, parts: TreeParts): Promise<void> {
  const folder = findPackaged(parts, 'usr/share/ca-certificates/mozilla');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.crt')).sort();
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  await writeFile(
    path.join(tree, 'etc/ssl/certs/ca-certificates.crt'),
    texts.map((text) => `${text.trim()}\n`).join(''),
  );
}

/** Modes that do not depend on the builder's umask or checkout. */
async function normaliseModes(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      await normaliseModes(file);
    } else if (entry.isFile()) {
      const isProgram = (await readFile(file)).subarray(0, 2).toString('latin1');
      await chmod(file, isProgram === '\x7fE' || isProgram === '#!' ? 0o755 : 0o644);
    }
  }
  await chmod(folder, 0o755);
}
