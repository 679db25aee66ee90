/** View types of the files in a container or a volume. */

/** Whose files: a container's by its id, a volume's by its name. */
export type FilePlace = { readonly container: string } | { readonly volume: string };

export type FileKind = 'file' | 'folder' | 'link' | 'other';
export type FileChange = 'added' | 'modified' | 'deleted';

export interface FileEntry {
  readonly name: string;
  readonly kind: FileKind;
  /** As `ls` writes them: `rwxr-xr-x`. */
  readonly permissions: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** What a link says; empty for all else. */
  readonly target: string;
}

export interface FolderView {
  /** Folders first, each sort by name. */
  readonly entries: readonly FileEntry[];
  /** There are more than are told. */
  readonly more: boolean;
}

export interface ChangesView {
  /** Sorted by path. */
  readonly changes: readonly { readonly path: string; readonly kind: FileChange }[];
  /** So many more are not told. */
  readonly more: number;
}

export interface FileText {
  /** The beginning of it; empty when it is no text. */
  readonly text: string;
  readonly isText: boolean;
  readonly sizeBytes: number;
  /** There is more than `text` holds. */
  readonly more: boolean;
}
