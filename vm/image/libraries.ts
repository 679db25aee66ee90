/** Finds the shared libraries programs need, in the folders of unpacked packages. */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { run } from './commands.ts';
import { ImageError } from './steps.ts';

/**
 * The libraries (file name -> path) that these ELF files need, and those need in turn.
 * @throws {ImageError} naming a library no package has.
 */
export async function resolveLibraries(
  files: readonly string[],
  extra: readonly string[],
  packageFolders: readonly string[],
  triplet: string,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const pending: (readonly [library: string, neededBy: string])[] = extra.map((name) => [name, 'the recipe']);
  for (const file of files) for (const name of await neededLibraries(file)) pending.push([name, path.basename(file)]);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [name, neededBy] = next;
    if (found.has(name)) continue;
    const file = locate(name, packageFolders, triplet);
    if (file === undefined) {
      throw new ImageError(
        `library ${name} (needed by ${neededBy}): in none of the packages`,
        `find its package with \`apt-file search ${name}\` and add it to debianPackages in vm/image/recipe.ts`,
      );
    }
    found.set(name, file);
    for (const needed of await neededLibraries(file)) pending.push([needed, name]);
  }
  return found;
}

function locate(name: string, packageFolders: readonly string[], triplet: string): string | undefined {
  const folders = packageFolders.flatMap((folder) =>
    [`lib/${triplet}`, `usr/lib/${triplet}`, 'lib64', 'lib'].map((one) => path.join(folder, one, name)),
  );
  return folders.find((file) => existsSync(file));
}

/** Empty for what is no ELF file, such as a script. */
async function neededLibraries(file: string): Promise<string[]> {
  if ((await readStart(file)).toString('latin1') !== '\x7fELF') return [];
  const text = await run('readelf', ['-dW', file], { hint: 'install the package binutils' });
  return [...text.matchAll(/\(NEEDED\).*\[([^\]]+)\]/g)].map((match) => match[1] ?? '');
}

async function readStart(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
