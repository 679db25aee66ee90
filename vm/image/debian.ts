/** Debian packages through apt's own tools and the machine's own sources; the machine's apt state is only read. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './commands.ts';
import type { Arch } from './recipe.ts';
import { ImageError, sha256, sha256File } from './steps.ts';

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
  /** apt's package lists; when nothing in it has changed, neither has what the sources offer. */
  readonly listsFolder: string;
  readonly folder: string;
  /** Whether the packages are of another architecture than this machine. */
  readonly foreign: boolean;
}

const refreshHint = 'refresh the package lists: apt-get update';

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
  if (native.trim() === arch) {
    return { aptOptions: [], listsFolder: '/var/lib/apt/lists', folder, foreign: false };
  }
  return await privateApt(arch, path.join(workFolder, 'apt'), folder);
}

async function privateApt(arch: Arch, state: string, folder: string): Promise<PackageSource> {
  const listsFolder = path.join(state, 'lists');
  const values = {
    'APT::Architecture': arch,
    'APT::Architectures::': arch,
    'Dir::State': state,
    'Dir::State::lists': listsFolder,
    'Dir::State::status': path.join(state, 'status'),
    'Dir::Cache': path.join(state, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const clear = ['-o', '#clear=APT::Architectures'];
  const aptOptions = [...clear, ...Object.entries(values).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
  if (!existsSync(path.join(state, 'ready'))) {
    await mkdir(path.join(listsFolder, 'partial'), { recursive: true });
    await mkdir(path.join(state, 'cache', 'archives', 'partial'), { recursive: true });
    await writeFile(path.join(state, 'status'), '');
    await run('apt-get', [...aptOptions, 'update', '-q'], {
      hint: 'check the package sources in /etc/apt and the network',
    });
    await writeFile(path.join(state, 'ready'), '');
  }
  return { aptOptions, listsFolder, folder, foreign: true };
}

/**
 * The kernel that the meta package stands for and the named packages, each in the newest version the sources offer.
 * apt is only asked when its lists have changed since the last time.
 */
export async function choosePackages(
  source: PackageSource,
  kernelMetaPackage: string,
  names: readonly string[],
): Promise<DebianPackage[]> {
  const file = path.join(source.folder, 'chosen.json');
  const key = sha256(JSON.stringify([kernelMetaPackage, names, await describeLists(source.listsFolder)]));
  if (existsSync(file)) {
    const known = JSON.parse(await readFile(file, 'utf8')) as { key: string; packages: DebianPackage[] };
    if (known.key === key) return known.packages;
  }
  const kernel = await resolveKernelPackage(source, kernelMetaPackage);
  const packages = await describePackages(source, [kernel, ...names]);
  await writeFile(file, JSON.stringify({ key, packages }));
  return packages;
}

async function describeLists(folder: string): Promise<string[]> {
  const names = existsSync(folder) ? (await readdir(folder)).sort() : [];
  const lines = names.map(async (name) => {
    const { size, mtimeMs } = await stat(path.join(folder, name));
    return `${name} ${size} ${mtimeMs}`;
  });
  return await Promise.all(lines);
}

async function resolveKernelPackage(source: PackageSource, metaPackage: string): Promise<string> {
  const text = await run('apt-cache', [...source.aptOptions, 'depends', '--important', metaPackage], {
    hint: refreshHint,
  });
  const name = /Depends: (linux-image-\d\S+)/.exec(text)?.[1];
  if (name === undefined) throw new ImageError(`package ${metaPackage}: names no kernel`, refreshHint);
  return name;
}

async function describePackages(source: PackageSource, names: readonly string[]): Promise<DebianPackage[]> {
  const text = await run('apt-cache', [...source.aptOptions, 'show', '--no-all-versions', ...names], {
    hint: refreshHint,
  });
  const found = new Map(parseStanzas(text).map((one) => [one.name, one]));
  return names.map((name) => {
    const one = found.get(name);
    if (one === undefined) {
      throw new ImageError(`package ${name}: not offered by this machine's package sources`, refreshHint);
    }
    return one;
  });
}

/** Parses the stanzas `apt-cache show` prints; the first of a name counts, one without SHA-256 does not. */
export function parseStanzas(text: string): DebianPackage[] {
  const packages: DebianPackage[] = [];
  for (const stanza of text.split(/\n\n+/)) {
    const field = (key: string): string => new RegExp(`^${key}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    const name = field('Package');
    const digest = field('SHA256');
    if (name === '' || packages.some((one) => one.name === name) || !/^[0-9a-f]{64}$/.test(digest)) continue;
    packages.push({ name, version: field('Version'), architecture: field('Architecture'), sha256: digest });
  }
  return packages;
}

/** Downloads what is not there yet, verifies and unpacks it; returns each package's folder, in the same order. */
export async function unpackPackages(
  source: PackageSource,
  packages: readonly DebianPackage[],
  print: (line: string) => void,
): Promise<string[]> {
  const folderOf = (one: DebianPackage): string =>
    path.join(source.folder, `${one.name}_${one.architecture}_${one.sha256.slice(0, 16)}`);
  const missing = packages.filter((one) => !existsSync(folderOf(one)));
  if (missing.length > 0) {
    print(`• Debian packages: ${missing.map((one) => one.name).join(' ')}`);
    const files = await download(source, missing);
    for (const one of missing) {
      const file = files.get(one.sha256);
      if (file === undefined) {
        throw new ImageError(`package ${one.name}: what apt-get downloaded has another SHA-256`, refreshHint);
      }
      const unpacked = path.join(path.dirname(file), one.sha256);
      await run('dpkg-deb', ['-x', file, unpacked]);
      await rename(unpacked, folderOf(one));
    }
    await rm(path.join(source.folder, 'download'), { recursive: true, force: true });
  }
  return packages.map(folderOf);
}

/** Returns the downloaded files by their SHA-256. */
async function download(source: PackageSource, packages: readonly DebianPackage[]): Promise<Map<string, string>> {
  const folder = path.join(source.folder, 'download');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const specs = packages.map((one) => `${one.name}=${one.version}`);
  await run('apt-get', [...source.aptOptions, '-q', 'download', ...specs], {
    cwd: folder,
    hint: 'check the network, and refresh the package lists: apt-get update',
  });
  const found = new Map<string, string>();
  for (const name of await readdir(folder)) {
    found.set(await sha256File(path.join(folder, name)), path.join(folder, name));
  }
  return found;
}
