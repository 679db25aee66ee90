/** `docker diff`. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { PackedEntry } from '../snapshots/unpack-program.ts';
import { lstatIn, nameOf, openUpper } from './container-upper.ts';
import type { ImageParts } from './image-parts.ts';
import type { Parts } from './parts.ts';

export interface Change {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

const kinds = { modified: 0, added: 1, deleted: 2 } as const;
const opaqueMark = '.wh..wh..opq';

/** Sorted by path. Null, as Docker says it, when there are none. */
export async function containerChanges(parts: Parts, images: ImageParts, reference: string): Promise<Change[] | null> {
  const record = parts.store.find(reference);
  await using upper = await openUpper(parts, images, record);
  const changes = await compare(upper.entries, upper.image.folder);
  return changes.length === 0 ? null : changes;
}

async function compare(entries: readonly PackedEntry[], imageRoot: string): Promise<Change[]> {
  const kindOf = new Map<string, Change['Kind']>();
  const present = new Set(entries.map(nameOf));
  for (const entry of entries) {
    const name = nameOf(entry);
    const [folder, last] = [path.dirname(name), path.basename(name)];
    if (last === opaqueMark) await addHidden(folder, imageRoot, present, kindOf);
    else if (last.startsWith('.wh.')) kindOf.set(path.join(folder, last.slice('.wh.'.length)), kinds.deleted);
    else {
      const before = await lstatIn(imageRoot, name);
      if (before === undefined) kindOf.set(name, kinds.added);
      else if (entry.type !== '5' || !before.isDirectory() || !isSameFolder(entry, before)) {
        kindOf.set(name, kinds.modified);
      }
    }
  }
  // A folder is modified when something in it was.
  for (const name of [...kindOf.keys()]) {
    for (let at = path.dirname(name); at !== '.' && !kindOf.has(at); at = path.dirname(at)) {
      kindOf.set(at, kinds.modified);
    }
  }
  const byPath = (a: Change, b: Change): number => (a.Path < b.Path ? -1 : 1);
  return [...kindOf].map(([name, Kind]) => ({ Path: `/${name}`, Kind })).sort(byPath);
}

/** A folder that took the place of one in the image: what is not in the new one is gone. */
async function addHidden(
  folder: string,
  imageRoot: string,
  present: ReadonlySet<string>,
  kindOf: Map<string, Change['Kind']>,
): Promise<void> {
  const before = await lstatIn(imageRoot, folder);
  if (before?.isDirectory() !== true) return;
  for (const name of await readdir(path.join(imageRoot, folder))) {
    const child = path.join(folder, name);
    if (!present.has(child)) kindOf.set(child, kinds.deleted);
  }
}

function isSameFolder(
  entry: PackedEntry,
  before: { mode: number; uid: number; gid: number; mtimeMs: number },
): boolean {
  return (
    entry.mode === (before.mode & 0o7777) &&
    entry.uid === before.uid &&
    entry.gid === before.gid &&
    entry.mtime === Math.floor(before.mtimeMs / 1000)
  );
}
