/** A container's own layer: what is in it, beside what its mounts left there. */
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { Stats } from 'node:fs';
import type { PackedEntry, PackSource } from '../snapshots/unpack-program.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { idRangeOf } from '../state/container-store.ts';
import { prepareContainerRoot } from './container-root.ts';
import type { ImageParts } from './image-parts.ts';
import { mountMerged } from './merged-root.ts';
import type { MergedRoot } from './merged-root.ts';
import { systemPaths } from './container-spec.ts';
import type { Parts } from './parts.ts';

export interface ContainerUpper extends AsyncDisposable {
  /** The image's files. */
  readonly image: MergedRoot;
  /** What the container changed: ids as inside, whiteouts and opaque folders as their marks (`.wh.…`). */
  readonly entries: readonly PackedEntry[];
  /** Packs just that. */
  readonly source: PackSource;
}

/** Made when the container was never started. Its folder is not changed by this. */
export async function openUpper(parts: Parts, images: ImageParts, record: ContainerRecord): Promise<ContainerUpper> {
  const resolved = await parts.images.resolve(record.imageId);
  const base = idRangeOf(record)?.base ?? 0;
  const lowerDirs = await images.snapshotter.layerFolders(resolved.layers);
  const { upperDir } = await prepareContainerRoot(parts, record);
  const image = await mountMerged(parts.config, lowerDirs);
  try {
    const source: PackSource = { source: upperDir, overlay: true, unshift: base };
    const all = await images.program.list(source);
    const skip = await mountLeftovers(all, image.folder, [
      ...systemPaths,
      ...record.mounts.map((mount) => mount.Destination),
    ]);
    const isSkipped = (entry: PackedEntry): boolean => skip.has(nameOf(entry));
    return {
      image,
      entries: all.filter((entry) => !isSkipped(entry)),
      source: { ...source, skip: [...skip] },
      [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
    };
  } catch (error) {
    await image[Symbol.asyncDispose]();
    throw error;
  }
}

/** Without the slash of folders. */
export function nameOf(entry: PackedEntry): string {
  return entry.path.replace(/\/$/, '');
}

/**
 * Names of empty files and folders that are there only because something was mounted on them, and of the folders that
 * hold nothing else.
 */
async function mountLeftovers(
  entries: readonly PackedEntry[],
  imageRoot: string,
  mountPoints: readonly string[],
): Promise<Set<string>> {
  const isCandidate = new Set<string>();
  for (const point of mountPoints) {
    for (let at = point.replace(/^\/+|\/+$/g, ''); at !== '' && at !== '.'; at = path.dirname(at)) isCandidate.add(at);
  }
  const points = new Set(mountPoints.map((point) => point.replace(/^\/+|\/+$/g, '')));
  const skipped = new Set<string>();
  const busy = new Set<string>();
  // Children before their folders.
  for (const entry of [...entries].reverse()) {
    const name = nameOf(entry);
    const droppable =
      isCandidate.has(name) && !busy.has(name) && (await isLeftover(entry, points.has(name), imageRoot));
    if (droppable) skipped.add(name);
    else busy.add(path.dirname(name));
  }
  return skipped;
}

async function isLeftover(entry: PackedEntry, isPoint: boolean, imageRoot: string): Promise<boolean> {
  const before = await lstatIn(imageRoot, nameOf(entry));
  if (before === undefined) return entry.type === '5' || (entry.type === '0' && isPoint && entry.size === 0);
  return (
    entry.type === '5' &&
    before.isDirectory() &&
    (before.mode & 0o7777) === entry.mode &&
    before.uid === entry.uid &&
    before.gid === entry.gid
  );
}

/** What is at that path of an image; undefined also when a folder on the way is a link. */
export async function lstatIn(root: string, name: string): Promise<Stats | undefined> {
  const parts = name.split('/');
  let at = root;
  for (const [index, part] of parts.entries()) {
    at = path.join(at, part);
    const stats = await lstat(at).catch(() => undefined);
    if (stats === undefined || index === parts.length - 1) return stats;
    if (!stats.isDirectory()) return undefined;
  }
  return undefined;
}
