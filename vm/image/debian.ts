/** Debian packages through apt's own tools and the machine's own sources; the machine's apt state is only read. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './commands.ts';
import type { Arch } from './recipe.ts';
import { ImageError, sha256File } from './steps.ts';

/** One package as apt describes it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly sha256: string;
}

/** Where packages come from, and where they are put. */
export interface PackageSource {
  readonly aptOptions: readonly string[];
  readonly folder: string;
}

/**
 * The machine's own apt when it is of that architecture; otherwise a private apt state beside it, with the machine's
 * sources but its own package lists, so that no foreign architecture has to be added to the machine.
 */
export async function openPackageSource(arch: Arch, workFolder: string): Promise<PackageSource> {
  const folder = path.join(workFolder, 'debs');
  await mkdir(folder, { recursive: true });
  const native = await run('dpkg', ['--print-architecture'], {
    hint: 'the image is built from Debian packages: build it on Debian or Ubuntu, or in a Debian container',
  });
  if (native.trim() === arch) return { aptOptions: [], folder };
  return { aptOptions: await privateApt(arch, path.join(workFolder, 'apt')), folder };
}

async function privateApt(arch: Arch, folder: string): Promise<string[]> {
  const lists = path.join(folder, 'state', 'lists');
  const status = path.join(folder, 'status');
  const options = Object.entries({
    'APT::Architecture': arch,
    'APT::Architectures::': arch,
    'Dir::State': path.join(folder, 'state'),
    'Dir::State::lists': lists,
    'Dir::State::status': status,
    'Dir::Cache': path.join(folder, 'cache'),
    'APT::Sandbox::User': 'root',
  }).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const clear = ['-o', '#clear=APT::Architectures'];
  if (!existsSync(path.join(lists, 'partial'))) {
    await mkdir(path.join(lists, 'partial'), { recursive: true });
    await mkdir(path.join(folder, 'cache', 'archives', 'partial'), { recursive: true });
    await writeFile(status, '');
    await run('apt-get', [...clear, ...options, 'update', '-q'], {
      hint: 'check the package sources in /etc/apt and the network',
    });
  }
  return [...clear, ...options];
}

/** The newest version of each package that the sources offer, in the order asked. */
export async function describePackages(source: PackageSource, names: readonly string[]): Promise<DebianPackage[]> {
  const text = await run('apt-cache', [...source.aptOptions, 'show', '--no-all-versions', ...names], {
    hint: 'refresh the package lists: apt-get update',
  });
  const found = new Map(parseStanzas(text).map((one) => [one.name, one]));
  return names.map((name) => {
    const one = found.get(name);
    if (one === undefined) {
      throw new ImageError(`package ${name}: not offered by this machine's package sources`, 'run: apt-get update');
    }
    return one;
  });
}

/** Parses the stanzas `apt-cache show` prints; the first of a name counts. */
export function parseStanzas(text: string): DebianPackage[] {
  const packages: DebianPackage[] = [];
  for (const stanza of text.split(/\n\n+/)) {
    const field = (key: string): string => new RegExp(`^${key}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    const name = field('Package');
    if (name === '' || packages.some((one) => one.name === name)) continue;
    const sha256 = field('SHA256');
    if (!/^[0-9a-f]{64}$/.test(sha256)) continue;
    packages.push({ name, version: field('Version'), architecture: field('Architecture'), sha256 });
  }
  return packages;
}

/** The kernel package the meta package stands for at present, such as `linux-image-6.1.0-56-cloud-amd64`. */
export async function resolveKernelPackage(source: PackageSource, metaPackage: string): Promise<string> {
  const text = await run('apt-cache', [...source.aptOptions, 'depends', '--important', metaPackage], {
    hint: 'refresh the package lists: apt-get update',
  });
  const name = /Depends: (linux-image-\d\S+)/.exec(text)?.[1];
  if (name === undefined) throw new ImageError(`package ${metaPackage}: names no kernel`, 'run: apt-get update');
  return name;
}

/** Downloads what is not there yet, verifies it and unpacks it; returns the folder with the package's files. */
export async function unpackPackage(source: PackageSource, one: DebianPackage): Promise<string> {
  const folder = path.join(source.folder, `${one.name}_${one.architecture}_${one.sha256.slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const download = `${folder}.download`;
  await rm(download, { recursive: true, force: true });
  await mkdir(path.join(download, 'files'), { recursive: true });
  await run('apt-get', [...source.aptOptions, '-q', 'download', `${one.name}=${one.version}`], {
    cwd: download,
    hint: 'check the network, and refresh the package lists: apt-get update',
  });
  const file = (await readdir(download)).find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new ImageError(`package ${one.name}: apt-get downloaded nothing`);
  const actual = await sha256File(path.join(download, file));
  if (actual !== one.sha256) {
    throw new ImageError(`package ${one.name}: SHA-256 is ${actual}, expected ${one.sha256}`, 'run: apt-get update');
  }
  await run('dpkg-deb', ['-x', path.join(download, file), path.join(download, 'files')]);
  await rename(path.join(download, 'files'), folder);
  await rm(download, { recursive: true, force: true });
  return folder;
}
