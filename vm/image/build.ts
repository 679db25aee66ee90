/**
 * Builds the guest image: `npx tsx vm/image/build.ts [--arch amd64|arm64]` → dist/guest/<arch>/.
 * Run again with nothing changed, it does nothing. What goes in is in recipe.ts.
 */
import { copyFile, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from './commands.ts';
import { choosePackages, openPackageSource, unpackPackages } from './debian.ts';
import { buildInitramfs, findKernel, installModules } from './kernel.ts';
import { buildNode } from './node-package.ts';
import { chooseTools, collectOwnPrograms, compileInit, crossCompile, initPrograms, initSources } from './programs.ts';
import {
  type Arch,
  archRecipes,
  debianPackages,
  linkedPackages,
  nativePrograms,
  nodeVersion,
  sourceDateEpoch,
  systemUuid,
} from './recipe.ts';
import { buildTree } from './root-tree.ts';
import { writeSbom } from './sbom.ts';
import { buildStarter } from './starter.ts';
import { createStepRunner, ImageError, sha256, sha256File } from './steps.ts';

/** Folders and choices of one build. */
export interface BuildOptions {
  /** The checkout. */
  readonly root: string;
  readonly arch: Arch;
  /** Where vmlinuz, initramfs.img, efi.stub, system.erofs, sbom.json and manifest.json go. */
  readonly outputFolder: string;
  /** Downloads and intermediate files. */
  readonly workFolder: string;
  readonly print: (line: string) => void;
}

/** The image's files, as written to manifest.json. */
export interface ImageManifest {
  readonly version: string;
  readonly arch: Arch;
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly sizeBytes: number }>>;
  readonly kernelVersion: string;
  readonly buildInputsSha256: string;
}

export async function buildImage(options: BuildOptions): Promise<void> {
  const { root, arch, outputFolder, workFolder, print } = options;
  const recipe = archRecipes[arch];
  const tools = chooseTools(arch, recipe, process.arch);
  const at = (name: string): string => path.join(workFolder, name);
  const out = (name: string): string => path.join(outputFolder, name);
  await mkdir(workFolder, { recursive: true });
  await mkdir(outputFolder, { recursive: true });
  const builder = await hashFiles(await listFiles(path.join(root, 'vm', 'image'), /\.ts$/), root);
  const steps = createStepRunner(at('stamps'), print);

  const source = await openPackageSource(arch, workFolder);
  const packages = await choosePackages(source, recipe.kernelMetaPackage, [...debianPackages, ...linkedPackages]);
  const packageFolders = await unpackPackages(source, packages, print);
  const folderOf = (name: string): string => packageFolders[packages.findIndex((one) => one.name === name)] ?? '';
  const kernel = await findKernel(packageFolders[0] ?? '');

  const node = { ...recipe.nodePackage, version: nodeVersion };
  await steps.run({
    name: 'Node for the guest',
    inputs: { node, strip: tools.strip },
    outputs: [at('node')],
    work: () => buildNode(recipe, workFolder, tools.strip, at('node')),
  });

  const initInputs = await hashFiles(await initSources(root), root);
  await steps.run({
    name: 'init',
    inputs: { initInputs, tools, builder },
    outputs: initPrograms.map((name) => at(`init/${name}`)),
    work: () => compileInit(root, tools, at('init')),
  });

  await steps.run({
    name: 'kernel and initramfs',
    inputs: { kernel: packages[0], init: await sha256File(at('init/init')), builder },
    outputs: [out('vmlinuz'), out('initramfs.img'), out('efi.stub')],
    work: async () => {
      await copyFile(kernel.vmlinuz, out('vmlinuz'));
      await copyFile(path.join(folderOf('systemd-boot-efi'), recipe.efiStub), out('efi.stub'));
      await buildInitramfs(kernel, at('init/init'), tools.strip, workFolder, out('initramfs.img'));
    },
  });

  if (source.foreign) {
    await steps.run({
      name: `native programs for ${arch}`,
      inputs: { packages, tools, sources: await hashFiles(await listFiles(path.join(root, 'native'), /./), root) },
      outputs: nativePrograms.map((name) => path.join(root, 'build', 'native', arch, name)),
      work: () => crossCompile(root, arch, at('sysroot'), linkedPackages.map(folderOf)),
    });
  }
  const ownPrograms = await collectOwnPrograms(root, arch);
  const own = new Map<string, string>([['init', await sha256File(at('init/init'))]]);
  own.set('modprobe', await sha256File(at('init/modprobe')));
  for (const [name, file] of ownPrograms) own.set(name, await sha256File(file));
  const files = await listFiles(path.join(root, 'vm', 'image'), /^(?!.*\.(ts|md)$)/);
  const inputs = {
    packages,
    node,
    builder,
    own: [...own],
    files: await hashFiles(files, root),
  };
  await steps.run({
    name: 'system disk',
    inputs,
    outputs: [out('system.erofs')],
    work: async () => {
      const starter = at('starter');
      await rm(starter, { recursive: true, force: true });
      const busybox = path.join(folderOf('busybox-static'), 'bin/busybox');
      await buildStarter(starter, arch, busybox, path.join(root, 'vm/image/starter/index.html'), sourceDateEpoch);
      const filesFolder = path.join(root, 'vm', 'image', 'files');
      await buildTree(at('tree'), {
        recipe,
        packageFolders,
        node: at('node'),
        modprobe: at('init/modprobe'),
        starter,
        ownPrograms,
        filesFolder,
      });
      await installModules(kernel, tools.strip, workFolder, at('tree'));
      await makeErofs(at('tree'), out('system.erofs'), systemUuid);
    },
  });

  await steps.run({
    name: 'SBOM and manifest',
    inputs,
    outputs: [out('sbom.json'), out('manifest.json')],
    work: async () => {
      const created = new Date(sourceDateEpoch * 1000).toISOString().replace('.000', '');
      await writeFile(out('sbom.json'), writeSbom({ arch, created, debian: packages, npm: [node], own }));
      await writeManifest(options, kernel.version, sha256(JSON.stringify(inputs)));
    },
  });
}

/** Packs a folder as an erofs image, uncompressed (README.md says why); the same folder always gives the same bytes. */
export async function makeErofs(folder: string, target: string, uuid: string): Promise<void> {
  await rm(`${target}.new`, { force: true });
  await run(
    'mkfs.erofs',
    [`-T${sourceDateEpoch}`, `-U${uuid}`, '-x-1', '--all-root', '--quiet', `${target}.new`, folder],
    { hint: 'install the package erofs-utils' },
  );
  await rename(`${target}.new`, target);
}

async function writeManifest(options: BuildOptions, kernelVersion: string, buildInputsSha256: string): Promise<void> {
  const { root, arch, outputFolder } = options;
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const files: Record<string, { sha256: string; sizeBytes: number }> = {};
  for (const name of ['vmlinuz', 'initramfs.img', 'efi.stub', 'system.erofs', 'sbom.json']) {
    const file = path.join(outputFolder, name);
    files[name] = { sha256: await sha256File(file), sizeBytes: (await stat(file)).size };
  }
  const manifest: ImageManifest = { version, arch, files, kernelVersion, buildInputsSha256 };
  await writeFile(path.join(outputFolder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const total = Object.values(files).reduce((sum, file) => sum + file.sizeBytes, 0);
  options.print(`  ${outputFolder}: ${(total / 1024 / 1024).toFixed(1)} MiB, kernel ${kernelVersion}`);
}

async function listFiles(folder: string, name: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

async function hashFiles(files: readonly string[], root: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const file of files) hashes[path.relative(root, file)] = await sha256File(file);
  return hashes;
}

function parseArch(args: readonly string[]): Arch {
  const index = args.indexOf('--arch');
  const value = index < 0 ? (process.arch === 'arm64' ? 'arm64' : 'amd64') : args[index + 1];
  if (value === 'amd64' || value === 'arm64') return value;
  throw new ImageError(`--arch ${value ?? ''}: is neither amd64 nor arm64`);
}

async function main(): Promise<void> {
  try {
    const root = path.resolve(import.meta.dirname, '..', '..');
    const arch = parseArch(process.argv.slice(2));
    await buildImage({
      root,
      arch,
      outputFolder: path.join(root, 'dist', 'guest', arch),
      workFolder: path.join(root, 'build', 'image', arch),
      print: (line) => process.stderr.write(`${line}\n`),
    });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    process.stderr.write(`✗ ${error.message}\n${error.hint === undefined ? '' : `  What to do: ${error.hint}\n`}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
