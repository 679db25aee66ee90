/** Node's own binary, from the npm registry's package for the architecture. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { run } from './commands.ts';
import { type ArchRecipe, nodeVersion } from './recipe.ts';
import { ImageError } from './steps.ts';

/**
 * Downloads the package when it is not there, verifies it and puts the stripped binary at `target`.
 * Stripping drops the symbol tables for debuggers only; add-ons find their symbols in .dynsym, which stays.
 */
export async function buildNode(recipe: ArchRecipe, workFolder: string, strip: string, target: string): Promise<void> {
  const archive = path.join(workFolder, `${recipe.nodePackage.name}-${nodeVersion}.tgz`);
  if (!existsSync(archive)) await download(recipe, archive);
  await verify(archive, recipe.nodePackage.integrity);
  const unpacked = `${target}.unpacked`;
  await mkdir(unpacked, { recursive: true });
  await run('tar', ['-xzf', archive, '-C', unpacked, 'package/bin/node']);
  await run(strip, ['-o', `${target}.stripped`, path.join(unpacked, 'package/bin/node')]);
  await rename(`${target}.stripped`, target);
  await rm(unpacked, { recursive: true, force: true });
}

async function download(recipe: ArchRecipe, archive: string): Promise<void> {
  const folder = `${archive}.download`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const spec = `${recipe.nodePackage.name}@${nodeVersion}`;
  await run('npm', ['pack', spec, '--silent', '--pack-destination', folder], {
    hint: `check that npm can reach its registry: npm view ${spec}`,
  });
  const file = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (file === undefined) throw new ImageError(`npm pack ${spec}: wrote no archive`);
  await copyFile(path.join(folder, file), archive);
  await rm(folder, { recursive: true, force: true });
}

async function verify(archive: string, integrity: string): Promise<void> {
  const actual = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (actual === integrity) return;
  await rm(archive);
  throw new ImageError(
    `${path.basename(archive)}: integrity is ${actual}, expected ${integrity}`,
    'the registry gave another file than the recipe was written for: build again, and do not trust it if it recurs',
  );
}
