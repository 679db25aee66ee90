/** The folder of one build: its context, and what steps put together. */
import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { UnpackProgram } from '../snapshots/unpack-program.ts';
import type { Parts } from './parts.ts';

export interface BuildFolder extends AsyncDisposable {
  readonly context: string;
  /** A new empty folder beneath, on the data disk. */
  make(name: string): Promise<string>;
}

export async function openBuildFolder(config: Parts['config'], program: UnpackProgram): Promise<BuildFolder> {
  await mkdir(buildsFolder(config), { recursive: true, mode: 0o711 });
  const root = await mkdtemp(`${buildsFolder(config)}/`);
  const context = path.join(root, 'context');
  await mkdir(context);
  let count = 0;
  return {
    context,
    async make(name) {
      count += 1;
      const folder = path.join(root, `${name}-${count}`);
      await mkdir(folder, { mode: 0o755 });
      return folder;
    },
    [Symbol.asyncDispose]: () => program.removeFolder(root),
  };
}

/** What builds left that ended with their agent. */
export async function removeBuildFolders(config: Parts['config'], program: UnpackProgram): Promise<void> {
  const names = await readdir(buildsFolder(config)).catch(() => []);
  for (const name of names) await program.removeFolder(path.join(buildsFolder(config), name));
}

function buildsFolder(config: Parts['config']): string {
  return `${config.dataDir}/builds`;
}
