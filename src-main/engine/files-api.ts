/** The engine's words for a container's files, and their translation into view types. */
import { z } from 'zod';
import type { FolderFiles } from '../../vm/contract/wherry-api.ts';
import type { ChangesView, FileEntry, FileKind, FolderView } from '../contract/files.ts';

export const containerFolder: z.ZodType<FolderFiles> = z.object({
  entries: z.array(
    z.object({
      name: z.string(),
      mode: z.number(),
      sizeBytes: z.number(),
      modifiedAtMs: z.number(),
      target: z.string(),
    }),
  ),
  more: z.boolean(),
});

/** Null when there are none. */
export const containerChanges = z.array(z.object({ Path: z.string(), Kind: z.number() })).nullable();

const maxChanges = 5000;
const changeKinds = ['modified', 'added', 'deleted'] as const;

export function toChangesView(changes: z.infer<typeof containerChanges>): ChangesView {
  const all = changes ?? [];
  return {
    changes: all.slice(0, maxChanges).map(({ Path, Kind }) => ({ path: Path, kind: changeKinds[Kind] ?? 'modified' })),
    more: Math.max(0, all.length - maxChanges),
  };
}

export function toFolderView({ entries, more }: FolderFiles): FolderView {
  const views = entries.map(({ mode, ...entry }): FileEntry => ({
    ...entry,
    kind: fileKindOf(mode),
    permissions: permissionsOf(mode),
  }));
  const rank = ({ kind }: FileEntry) => (kind === 'folder' ? 0 : 1);
  return { entries: views.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1)), more };
}

/** By the type bits of `st_mode` (inode(7)). */
const kinds: Readonly<Record<number, FileKind>> = { 0o100000: 'file', 0o040000: 'folder', 0o120000: 'link' };

export function fileKindOf(mode: number): FileKind {
  return kinds[mode & 0o170000] ?? 'other';
}

export function permissionsOf(mode: number): string {
  const letters = Array.from({ length: 9 }, (_, index) => ((mode >> (8 - index)) & 1 ? 'rwx'.charAt(index % 3) : '-'));
  const special = (at: number, bit: number, letter: string) => {
    if (mode & bit) letters[at] = letters[at] === '-' ? letter.toUpperCase() : letter;
  };
  special(2, 0o4000, 's');
  special(5, 0o2000, 's');
  special(8, 0o1000, 't');
  return letters.join('');
}

/** The header of an archive's answer: base64 of JSON, with the bits of Go's `FileMode`. */
const pathStat = z.object({ size: z.number(), mode: z.number(), linkTarget: z.string().default('') });

export interface PathStat {
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** Where a link leads in the end. */
  readonly target: string;
}

export function parsePathStat(header: string): PathStat {
  const { size, mode, linkTarget } = pathStat.parse(JSON.parse(Buffer.from(header, 'base64').toString('utf8')));
  // The types are bits from the top (Go's fs.ModeDir, ModeSymlink, and the rest of ModeType).
  const has = (bit: number) => Math.floor(mode / 2 ** bit) % 2 === 1;
  const kind = has(31) ? 'folder' : has(27) ? 'link' : [26, 25, 24, 21, 19].some(has) ? 'other' : 'file';
  return { kind, sizeBytes: size, target: linkTarget };
}
