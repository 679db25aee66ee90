import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { Empty } from '../../components/empty.tsx';
import { FileIcon } from '../../components/file-icon.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatCount } from '../../format/quantities.ts';
import { useRem } from '../../components/use-rem.ts';
import { LayerCounts } from './layer-counts.tsx';
import { foldersAbove, layerRows, type EntryRow, type LayerRow } from './layer-rows.ts';
import type { LayerFolders } from './use-layers.ts';

const rowRem = 1.75;

interface LayerTreeProps {
  readonly layer: number;
  readonly folders: LayerFolders;
  /** A path to be shown: each new object opens the way to it once. */
  readonly target: { readonly path: string } | undefined;
}

/** What one layer does to files, a folder at a time. One tab stop; arrows move, open and close. */
export function LayerTree({ layer, folders, target }: LayerTreeProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string>();
  const { answerOf, want } = folders;
  useEffect(() => {
    if (target === undefined) return;
    setOpen((before) => new Set([...before, ...foldersAbove(target.path)]));
    setCurrent(target.path);
  }, [target]);
  useEffect(() => {
    for (const path of ['/', ...open]) want(layer, path);
  }, [layer, open, want]);
  const rows = useMemo(() => layerRows((path) => answerOf(layer, path), open), [answerOf, layer, open]);
  const root = answerOf(layer, '/')?.value;
  if (root?.entries.length === 0) {
    return (
      <Empty title="This layer changes no file">
        <p>Its command left everything as it was.</p>
      </Empty>
    );
  }
  const turn = (path: string, opens: boolean) => {
    setOpen((before) => {
      const next = new Set(before);
      if (opens) next.add(path);
      else next.delete(path);
      return next;
    });
  };
  return <Rows rows={rows} current={current} onCurrent={setCurrent} onTurn={turn} />;
}

interface RowsProps {
  readonly rows: readonly LayerRow[];
  readonly current: string | undefined;
  readonly onCurrent: (key: string) => void;
  readonly onTurn: (path: string, opens: boolean) => void;
}

function Rows({ rows, current, onCurrent, onTurn }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const base = useId();
  const rowPx = rowRem * useRem();
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 10,
    getItemKey: (index) => rows[index]?.key ?? index,
  });
  const items = virtualizer.getVirtualItems();
  const index = rows.findIndex(({ key }) => key === current);
  const here = Math.max(0, index);
  useEffect(() => {
    if (index >= 0) virtualizer.scrollToIndex(index);
  }, [index, virtualizer]);
  // What is still read makes place for others, and would take the current row with it.
  const choose = (row: LayerRow | undefined) => {
    if (row !== undefined && row.kind !== 'waiting') onCurrent(row.key);
  };
  const keyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = steppedTo(event.key, rows, here, onTurn);
    if (next === undefined) return;
    event.preventDefault();
    choose(rows[Math.max(0, Math.min(rows.length - 1, next))]);
  };
  return (
    <div
      ref={scroller}
      className="layer-tree scroll"
      role="tree"
      aria-label="Files of the layer"
      tabIndex={0}
      aria-activedescendant={items.some((item) => item.index === here) ? `${base}${here}` : undefined}
      onKeyDown={keyDown}
    >
      <div role="presentation" style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {items.map(({ index: at, start }) => {
          const row = rows[at];
          if (row === undefined) return null;
          const press = () => {
            choose(row);
            if (row.kind === 'entry' && row.entry.kind === 'folder') onTurn(row.path, !row.open);
          };
          return (
            <div
              key={row.key}
              id={`${base}${at}`}
              className={['layer-row', at === here ? 'current' : '', changeOf(row)].filter(Boolean).join(' ')}
              role="treeitem"
              aria-level={row.depth + 1}
              aria-selected={at === here}
              {...(row.kind === 'entry' ? placeOf(row) : {})}
              style={{ transform: `translateY(${start}px)`, paddingLeft: `${0.9 + row.depth * 1.1}rem` }}
              onClick={press}
            >
              <RowContent row={row} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Where a key leads, after what it opens or closes; undefined for any other key. */
function steppedTo(
  key: string,
  rows: readonly LayerRow[],
  here: number,
  onTurn: RowsProps['onTurn'],
): number | undefined {
  const row = rows[here];
  const folder = row?.kind === 'entry' && row.entry.kind === 'folder' ? row : undefined;
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return here + 1;
    case 'ArrowUp':
    case 'k':
      return here - 1;
    case 'PageDown':
      return here + 15;
    case 'PageUp':
      return here - 15;
    case 'Home':
      return 0;
    case 'End':
      return rows.length - 1;
    case 'Enter':
    case ' ':
      if (folder) onTurn(folder.path, !folder.open);
      return here;
    case 'ArrowRight':
      if (folder?.open === true) return here + 1;
      if (folder) onTurn(folder.path, true);
      return here;
    case 'ArrowLeft': {
      if (folder?.open === true) {
        onTurn(folder.path, false);
        return here;
      }
      const above = rows.slice(0, here).findLastIndex(({ depth }) => depth < (row?.depth ?? 0));
      return above === -1 ? here : above;
    }
    default:
      return undefined;
  }
}

function changeOf(row: LayerRow): string {
  return row.kind === 'entry' && row.entry.change === 'deleted' ? 'gone' : '';
}

function placeOf({ entry, open, position, siblings }: EntryRow) {
  return {
    'aria-posinset': position,
    'aria-setsize': siblings,
    ...(entry.kind === 'folder' ? { 'aria-expanded': open } : {}),
  };
}

function RowContent({ row }: { row: LayerRow }) {
  switch (row.kind) {
    case 'waiting':
      return <span className="quiet">Reading…</span>;
    case 'problem':
      return <Outside text={row.text} className="problem-text" />;
    case 'more':
      return <span className="quiet">{`and ${formatCount(row.count, 'smaller one', 'smaller ones')}`}</span>;
    case 'entry':
      return <EntryContent row={row} />;
  }
}

function EntryContent({ row: { entry, open } }: { row: EntryRow }) {
  const { name, kind, change } = entry;
  const Chevron = open ? ChevronDown : ChevronRight;
  const gone = change === 'deleted';
  return (
    <>
      <span className="layer-chevron">{kind === 'folder' ? <Chevron className="icon" aria-hidden /> : null}</span>
      <FileIcon kind={kind} />
      <Outside text={name} className={kind === 'folder' ? 'strong' : ''} />
      {kind === 'folder' ? (
        <LayerCounts sums={entry} />
      ) : change === 'unchanged' ? null : (
        <span className={`chip ${change}`}>{change}</span>
      )}
      <span className="spacer" />
      <span className={gone ? 'layer-size faint' : 'layer-size'}>
        {gone ? `−${formatBytes(entry.deletedBytes)}` : formatBytes(entry.sizeBytes)}
      </span>
    </>
  );
}
