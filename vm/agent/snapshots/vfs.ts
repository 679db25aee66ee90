/**
 * For hosts without overlayfs: a layer is its blob (a symbolic link to it), and a container's root is a folder into which
 * the layers are unpacked one after the other. Slow and large, but asks nothing of the kernel.
 */
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../contract/errors.ts';
import { exists } from '../exists.ts';
import { renameDurably } from '../content/durable.ts';
import type { RootFilesystem } from '../runtime/runtime.ts';
import type { LimitFolder, PendingLayer, RootOptions, Snapshotter } from './snapshotter.ts';
import type { UnpackProgram } from './unpack-program.ts';

export class VfsSnapshotter implements Snapshotter {
  readonly name = 'vfs';
  private readonly layersFolder: string;
  private readonly containersFolder: string;
  private readonly program: UnpackProgram;
  private readonly limitFolder: LimitFolder;

  private constructor(dataDir: string, program: UnpackProgram, limitFolder: LimitFolder) {
    this.layersFolder = path.join(dataDir, 'vfs-layers');
    this.containersFolder = path.join(dataDir, 'containers');
    this.program = program;
    this.limitFolder = limitFolder;
  }

  static async open(dataDir: string, program: UnpackProgram, limitFolder: LimitFolder): Promise<VfsSnapshotter> {
    const snapshotter = new VfsSnapshotter(dataDir, program, limitFolder);
    await mkdir(snapshotter.layersFolder, { recursive: true, mode: 0o700 });
    return snapshotter;
  }

  /** Follows the link: without its blob a layer is not there. */
  async hasLayer(diffId: string): Promise<boolean> {
    return exists(this.layerLink(diffId));
  }

  async layers(): Promise<string[]> {
    const names = await readdir(this.layersFolder);
    return names.filter((name) => /^[a-f0-9]{64}$/.test(name)).map((name) => `sha256:${name}`);
  }

  begin(): Promise<PendingLayer> {
    return Promise.resolve({
      root: undefined,
      commit: async (diffId, blobFile) => {
        const link = this.layerLink(diffId);
        await rm(`${link}.new`, { force: true });
        await symlink(blobFile, `${link}.new`);
        await renameDurably(`${link}.new`, link);
      },
      discard: () => Promise.resolve(),
    });
  }

  async removeLayer(diffId: string): Promise<void> {
    await rm(this.layerLink(diffId), { force: true });
  }

  /** The layers count for the limit too: each container has them for itself. */
  async prepareRoot(
    containerId: string,
    layers: readonly string[],
    { ownerId, limit }: RootOptions,
  ): Promise<RootFilesystem> {
    const folder = path.join(this.containersFolder, containerId);
    const [root, preparing] = [path.join(folder, 'root'), path.join(folder, 'root.new')];
    if (!(await exists(root))) {
      await this.program.removeFolder(preparing);
      await mkdir(preparing, { recursive: true, mode: 0o755 });
      if (limit !== undefined) await this.limitFolder(preparing, limit);
      for (const diffId of layers) await this.apply(diffId, preparing, ownerId);
      await rename(preparing, root);
    }
    return { lowerDirs: [], upperDir: root, workDir: '' };
  }

  layerFolders(): Promise<string[]> {
    return Promise.reject(
      new EngineError('not-implemented', 'the vfs store cannot tell a container’s changes: overlayfs is needed'),
    );
  }

  async removeRoot(containerId: string): Promise<void> {
    for (const name of ['root.new', 'root']) {
      await this.program.removeFolder(path.join(this.containersFolder, containerId, name));
    }
  }

  rootSize(containerId: string): Promise<number> {
    return this.program.folderBytesIfThere(path.join(this.containersFolder, containerId, 'root'));
  }

  private async apply(diffId: string, root: string, shift: number): Promise<void> {
    if (!(await this.hasLayer(diffId)))
      throw new EngineError('system', `layer ${diffId} is missing: pull the image again`);
    const stop = new AbortController();
    const unpack = this.program.startLayer({ root, apply: true, shift }, stop.signal);
    try {
      await pipeline(createReadStream(this.layerLink(diffId), { highWaterMark: 256 * 1024 }), unpack.input);
    } catch {
      // The program ended early; what it says is the reason.
    }
    const result = await unpack.result;
    if (result.diffId !== diffId) throw new EngineError('system', `layer ${diffId} is damaged: pull the image again`);
  }

  private layerLink(diffId: string): string {
    return path.join(this.layersFolder, diffId.slice('sha256:'.length));
  }
}
