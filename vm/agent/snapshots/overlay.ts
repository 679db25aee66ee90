/** Layers as folders, stacked by overlayfs. The monitor mounts; see `RootFilesystem`. */
import { chown, mkdir, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../contract/errors.ts';
import { exists } from '../exists.ts';
import { syncFolder } from '../content/durable.ts';
import type { RootFilesystem } from '../runtime/runtime.ts';
import type { LimitFolder, PendingLayer, RootOptions, Snapshotter } from './snapshotter.ts';
import type { UnpackProgram } from './unpack-program.ts';

/** Layers being unpacked; the program that made them has died when they are found at start. */
const temporaryPrefix = 'tmp-';

export class OverlaySnapshotter implements Snapshotter {
  readonly name = 'overlay';
  private readonly layersFolder: string;
  private readonly containersFolder: string;
  private readonly program: UnpackProgram;
  private readonly limitFolder: LimitFolder;
  private counter = 0;

  private constructor(dataDir: string, program: UnpackProgram, limitFolder: LimitFolder) {
    this.layersFolder = path.join(dataDir, 'layers');
    this.containersFolder = path.join(dataDir, 'containers');
    this.program = program;
    this.limitFolder = limitFolder;
  }

  /** Removes what an agent that died had half unpacked. */
  static async open(dataDir: string, program: UnpackProgram, limitFolder: LimitFolder): Promise<OverlaySnapshotter> {
    const snapshotter = new OverlaySnapshotter(dataDir, program, limitFolder);
    await mkdir(snapshotter.layersFolder, { recursive: true, mode: 0o711 });
    for (const name of await readdir(snapshotter.layersFolder)) {
      if (name.startsWith(temporaryPrefix)) await program.removeFolder(path.join(snapshotter.layersFolder, name));
    }
    return snapshotter;
  }

  async hasLayer(diffId: string): Promise<boolean> {
    return exists(this.layerFolder(diffId));
  }

  async layers(): Promise<string[]> {
    const names = await readdir(this.layersFolder);
    return names.filter((name) => /^[a-f0-9]{64}$/.test(name)).map((name) => `sha256:${name}`);
  }

  async begin(): Promise<PendingLayer> {
    this.counter += 1;
    const root = path.join(this.layersFolder, `${temporaryPrefix}${process.pid}-${this.counter}`);
    await this.program.removeFolder(root); // left by an agent that had this very pid
    await mkdir(root, { mode: 0o755 });
    return {
      root,
      commit: async (diffId) => {
        try {
          await rename(root, this.layerFolder(diffId));
        } catch (error) {
          if (!isThere(error)) throw error;
          await this.program.removeFolder(root);
          return;
        }
        await syncFolder(this.layersFolder);
      },
      discard: () => this.program.removeFolder(root),
    };
  }

  /** Renamed first: a half-removed layer must not pass for one. */
  async removeLayer(diffId: string): Promise<void> {
    this.counter += 1;
    const grave = path.join(this.layersFolder, `${temporaryPrefix}gone-${process.pid}-${this.counter}`);
    try {
      await rename(this.layerFolder(diffId), grave);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    await syncFolder(this.layersFolder);
    await this.program.removeFolder(grave);
  }

  async prepareRoot(
    containerId: string,
    layers: readonly string[],
    { ownerId, limit }: RootOptions,
  ): Promise<RootFilesystem> {
    const lowerDirs = await this.layerFolders(layers);
    const folder = path.join(this.containersFolder, containerId);
    const [upperDir, workDir] = [path.join(folder, 'upper'), path.join(folder, 'work')];
    if (!(await exists(upperDir))) {
      const preparing = path.join(folder, 'upper.new');
      await mkdir(preparing, { recursive: true, mode: 0o755 });
      await chown(preparing, ownerId, ownerId);
      if (limit !== undefined) await this.limitFolder(preparing, limit);
      await rename(preparing, upperDir);
    }
    await mkdir(workDir, { recursive: true, mode: 0o755 });
    // Of the same project: files are made in it and moved, and XFS moves none from project to project.
    if (limit !== undefined) await this.limitFolder(workDir, limit);
    return { lowerDirs, upperDir, workDir };
  }

  async layerFolders(layers: readonly string[]): Promise<string[]> {
    for (const diffId of layers) {
      if (!(await this.hasLayer(diffId)))
        throw new EngineError('system', `layer ${diffId} is missing: pull the image again`);
    }
    return layers.map((diffId) => this.layerFolder(diffId)).reverse();
  }

  async removeRoot(containerId: string): Promise<void> {
    for (const name of ['upper.new', 'upper', 'work']) {
      await this.program.removeFolder(path.join(this.containersFolder, containerId, name));
    }
  }

  rootSize(containerId: string): Promise<number> {
    return this.program.folderBytesIfThere(path.join(this.containersFolder, containerId, 'upper'));
  }

  private layerFolder(diffId: string): string {
    return path.join(this.layersFolder, diffId.slice('sha256:'.length));
  }
}

function isThere(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}
