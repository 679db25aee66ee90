/** Our own programs: compiles init, and collects what the other builds left for the guest. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { run } from './commands.ts';
import { type Arch, type ArchRecipe, nativePrograms } from './recipe.ts';
import { ImageError } from './steps.ts';

/** Compiler and strip for an architecture. */
export interface Tools {
  readonly cc: string;
  readonly strip: string;
  /** The Debian package that brings them. */
  readonly package: string;
}

/** The machine's own tools where it is of the architecture, cross tools elsewhere. */
export function chooseTools(arch: Arch, recipe: ArchRecipe, machine: NodeJS.Architecture): Tools {
  const native = machine === (arch === 'amd64' ? 'x64' : 'arm64');
  if (native) return { cc: 'gcc', strip: 'strip', package: 'gcc' };
  const prefix = recipe.triplet;
  return { cc: `${prefix}-gcc`, strip: `${prefix}-strip`, package: `gcc-${prefix.replaceAll('_', '-')}` };
}

/** Programs made of native/init. */
export const initPrograms = ['init', 'modprobe'] as const;

const initFlags =
  '-std=gnu17 -D_GNU_SOURCE -Os -ffunction-sections -Wl,--gc-sections -static -s -Wall -Wextra -Werror -Wshadow -Wconversion -ffile-prefix-map=/=. -Wl,--build-id=none'.split(
    ' ',
  );

/** The C files of native/init, in a fixed order. */
export async function initSources(root: string): Promise<string[]> {
  const folder = path.join(root, 'native', 'init');
  return (await readdir(folder))
    .filter((name) => /\.[ch]$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Compiles native/init: `init` and `modprobe`, which share all but their main files. */
export async function compileInit(root: string, tools: Tools, targetFolder: string): Promise<void> {
  const sources = (await initSources(root)).filter((file) => file.endsWith('.c'));
  const mains = initPrograms.map((name) => `${name}.c`);
  const hint = `install the package ${tools.package} (and libc6-dev for it), or read the compiler's message`;
  await mkdir(targetFolder, { recursive: true });
  for (const name of initPrograms) {
    const own = sources.filter((file) => !mains.includes(path.basename(file)) || path.basename(file) === `${name}.c`);
    const files = own.map((file) => path.relative(root, file));
    await run(tools.cc, [...initFlags, '-o', path.join(targetFolder, name), ...files], { cwd: root, hint });
  }
}

/** Builds native/ for another architecture against the static libraries of these unpacked packages. */
export async function crossCompile(
  root: string,
  arch: Arch,
  sysroot: string,
  packageFolders: readonly string[],
): Promise<void> {
  await rm(sysroot, { recursive: true, force: true });
  for (const folder of packageFolders) await cp(folder, sysroot, { recursive: true });
  await run('make', ['-C', 'native', '--no-print-directory', '-s', `ARCH=${arch}`, `SYSROOT=${sysroot}`], {
    cwd: root,
    hint: "read the compiler's message; cross compiling needs what chooseTools in vm/image/programs.ts names",
  });
}

/**
 * What goes to /usr/lib/wherry (name there -> file here): everything in dist/agent, and the native programs built for
 * the architecture.
 * @throws {ImageError} naming a part that has not been built.
 */
export async function collectOwnPrograms(root: string, arch: Arch): Promise<Map<string, string>> {
  const found = new Map([
    ...(await filesIn(path.join(root, 'dist', 'agent'), true)),
    ...(await filesIn(path.join(root, 'build', 'native', arch), false)),
  ]);
  for (const name of ['agent.js', ...nativePrograms]) {
    if (!found.has(name)) {
      throw new ImageError(`${name}: has not been built for ${arch}`, 'build it first: npm run build -- agent native');
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function filesIn(folder: string, recursive: boolean): Promise<[string, string][]> {
  const entries = existsSync(folder) ? await readdir(folder, { recursive, withFileTypes: true }) : [];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => [path.relative(folder, file), file]);
}
