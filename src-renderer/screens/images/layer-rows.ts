/** A layer's folders as the rows of a tree: what is open, what is on its way, what could not be read. Pure. */
import type { HistoryStep } from '../../../src-main/contract/engine.ts';
import type { LayerEntry, LayerFolderView } from '../../../src-main/contract/layers.ts';

/** What is known of a folder. Neither: it is on its way. */
export interface FolderAnswer {
  readonly value?: LayerFolderView;
  readonly problem?: string;
}

interface RowPlace {
  readonly key: string;
  /** From 0. */
  readonly depth: number;
}

export interface EntryRow extends RowPlace {
  readonly kind: 'entry';
  readonly path: string;
  readonly entry: LayerEntry;
  readonly open: boolean;
  /** Among those of its folder, from 1. */
  readonly position: number;
  readonly siblings: number;
}

export type LayerRow =
  | EntryRow
  | (RowPlace & { readonly kind: 'waiting' })
  | (RowPlace & { readonly kind: 'problem'; readonly text: string })
  | (RowPlace & { readonly kind: 'more'; readonly count: number });

/** Depth first. `open`: paths of the folders whose content is shown; the root always is. */
export function layerRows(
  answerOf: (path: string) => FolderAnswer | undefined,
  open: ReadonlySet<string>,
): readonly LayerRow[] {
  const rows: LayerRow[] = [];
  const visit = (folder: string, depth: number) => {
    const { value, problem } = answerOf(folder) ?? {};
    if (problem !== undefined) rows.push({ kind: 'problem', key: `${folder}//problem`, depth, text: problem });
    else if (value === undefined) rows.push({ kind: 'waiting', key: `${folder}//waiting`, depth });
    for (const [index, entry] of (value?.entries ?? []).entries()) {
      const path = folder === '/' ? `/${entry.name}` : `${folder}/${entry.name}`;
      const isOpen = entry.kind === 'folder' && open.has(path);
      const [position, siblings] = [index + 1, value?.entries.length ?? 0];
      rows.push({ kind: 'entry', key: path, path, depth, entry, open: isOpen, position, siblings });
      if (isOpen) visit(path, depth + 1);
    }
    const more = value?.more ?? 0;
    if (more > 0) rows.push({ kind: 'more', key: `${folder}//more`, depth, count: more });
  };
  visit('/', 0);
  return rows;
}

/** The folders that must be open for a path to be seen. */
export function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/** Each step with the number of the layer it made, if any: layers are numbered from the bottom, from 0. */
export function layersOfSteps(
  history: readonly HistoryStep[],
): readonly { readonly step: HistoryStep; readonly layer?: number }[] {
  let next = 0;
  return history.map((step) => {
    if (step.empty) return { step };
    next += 1;
    return { step, layer: next - 1 };
  });
}
