/**
 * A dense, virtualised table as an ARIA grid: one tab stop, arrow keys or j/k between rows, x to select, Enter to open,
 * any other key to the screen. Columns leave by their rank as room gets tight; nothing scrolls sideways.
 */
import { memo, useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { isTyping } from './search-field.tsx';
import { GroupRow } from './table-group-row.tsx';
import { useRem } from './use-rem.ts';
import {
  groupRows,
  toggledAll,
  type Grouping,
  type RowPlace,
  type Selection,
  type TableEntry,
} from './table-groups.ts';

export interface Column<T> {
  readonly key: string;
  readonly header: string;
  /** A grid track: `minmax(8rem, 1fr)`. */
  readonly width: string;
  /** Always, or only from that width on. */
  readonly rank: 'always' | 'medium' | 'large' | 'wide';
  readonly align?: 'end';
  readonly sortBy?: (row: T) => string | number;
  readonly render: (row: T) => ReactNode;
}

interface DataTableProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly nameOf: (row: T) => string;
  readonly selection?: Selection;
  readonly initialSort?: Sort;
  readonly grouping?: Grouping<T>;
  /** Told when other rows came into sight; must stay the same function. */
  readonly onVisible?: (rows: readonly T[]) => void;
  readonly onOpen: (row: T) => void;
  readonly onKey?: (row: T, event: KeyboardEvent) => void;
  /** Shown in place of rows. */
  readonly empty: ReactNode;
  readonly stale: boolean;
}

interface Sort {
  readonly key: string;
  readonly descending: boolean;
}

const rowRem = 2.75;

export function DataTable<T>(props: DataTableProps<T>) {
  const { columns, keyOf, selection, empty, stale } = props;
  const [sort, setSort] = useState<Sort | undefined>(props.initialSort);
  const rows = useSorted(props.rows, columns, sort);
  const { grouping, onVisible } = props;
  const entries = useMemo(() => groupRows(rows, keyOf, grouping), [rows, keyOf, grouping]);
  const scroller = useRef<HTMLDivElement>(null);
  const rowPx = rowRem * useRem();
  const virtualizer = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 8,
    getItemKey: (index) => entries[index]?.key ?? index,
  });
  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    onVisible?.(entries.slice(first, last + 1).flatMap((entry) => (entry.kind === 'row' ? [entry.row] : [])));
  }, [onVisible, entries, first, last]);
  const roving = useRovingRow(entries, (index) => virtualizer.scrollToIndex(index));
  const keyDown = useGridKeys(props, entries, roving.index, roving.move);
  return (
    <div
      className={['table', stale ? 'stale' : '', selection ? 'selectable' : ''].filter(Boolean).join(' ')}
      role="grid"
      aria-label={props.label}
      aria-rowcount={entries.length + 1}
      aria-multiselectable={selection !== undefined}
      style={tracks(columns, selection !== undefined)}
      onKeyDown={keyDown}
    >
      <HeaderRow columns={columns} sort={sort} onSort={setSort} selection={selection} keys={rows.map(keyOf)} />
      <div className="table-body scroll" ref={scroller} role="presentation">
        {rows.length === 0 ? (
          empty
        ) : (
          <div role="presentation" style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
            {items.map((item) => {
              const entry = entries[item.index];
              if (entry === undefined) return null;
              const place = {
                index: item.index,
                top: item.start,
                tabStop: item.index === roving.index,
                focusNow: roving.wanted === entry.key,
                onFocus: roving.onFocus,
              };
              if (entry.kind === 'row') {
                return <Row key={entry.key} row={entry.row} grouped={entry.grouped} table={props} {...place} />;
              }
              return grouping && <GroupRow key={entry.key} entry={entry} table={{ ...props, grouping }} {...place} />;
            })}
          </div>
        )}
      </div>
    </div>
  );
}

interface RowProps<T> extends RowPlace {
  readonly row: T;
  readonly grouped: boolean;
  readonly table: DataTableProps<T>;
}

/** Memoised: scrolling renders only the rows that come into sight. */
const Row = memo(PlainRow) as typeof PlainRow;

function PlainRow<T>({ row, grouped, table, index, top, tabStop, focusNow, onFocus }: RowProps<T>) {
  const element = useRef<HTMLDivElement>(null);
  const key = table.keyOf(row);
  const { selection } = table;
  const selected = selection?.keys.has(key) ?? false;
  useEffect(() => {
    if (focusNow) element.current?.focus({ preventScroll: true });
  }, [focusNow]);
  return (
    <div
      ref={element}
      className={grouped ? 'table-row grouped' : 'table-row'}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selection === undefined ? undefined : selected}
      data-key={key}
      tabIndex={tabStop ? 0 : -1}
      style={{ transform: `translateY(${top}px)` }}
      onFocus={() => onFocus(key)}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest('button, a, input, [role="menuitem"]')) table.onOpen(row);
      }}
    >
      {selection === undefined ? null : (
        <div className="cell check-cell" role="gridcell">
          <input
            type="checkbox"
            className="check"
            tabIndex={-1}
            checked={selected}
            aria-label={`Select ${table.nameOf(row)}`}
            onChange={() => selection.onChange(toggled(selection.keys, key))}
          />
        </div>
      )}
      {table.columns.map((column) => (
        <div key={column.key} className={cellClass(column)} role="gridcell">
          {column.render(row)}
        </div>
      ))}
    </div>
  );
}

interface HeaderRowProps<T> {
  readonly columns: readonly Column<T>[];
  readonly sort: Sort | undefined;
  readonly onSort: (sort: Sort) => void;
  readonly selection: Selection | undefined;
  readonly keys: readonly string[];
}

function HeaderRow<T>({ columns, sort, onSort, selection, keys }: HeaderRowProps<T>) {
  const chosen = selection === undefined ? 0 : keys.filter((key) => selection.keys.has(key)).length;
  const all = keys.length > 0 && chosen === keys.length;
  return (
    <div className="table-row table-head" role="row" aria-rowindex={1}>
      {selection === undefined ? null : (
        <div className="cell check-cell" role="columnheader">
          <input
            type="checkbox"
            className="check"
            aria-label="Select all"
            checked={all}
            disabled={keys.length === 0}
            ref={(box) => {
              if (box) box.indeterminate = chosen > 0 && !all;
            }}
            onChange={() => selection.onChange(all ? new Set() : new Set(keys))}
          />
        </div>
      )}
      {columns.map((column) => {
        const active = sort?.key === column.key;
        const Arrow = active && sort.descending ? ArrowDown : ArrowUp;
        return (
          <div
            key={column.key}
            className={cellClass(column)}
            role="columnheader"
            aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : undefined}
          >
            {column.sortBy === undefined ? (
              <span className={column.header.startsWith('(') ? 'sr' : ''}>{column.header.replace(/[()]/g, '')}</span>
            ) : (
              <button
                type="button"
                onClick={() => onSort({ key: column.key, descending: active ? !sort.descending : false })}
              >
                {column.header}
                <Arrow className={active ? 'icon' : 'icon idle'} aria-hidden />
              </button>
            )}
          </div>
        );
      })}
    </div>
  );
}

function cellClass<T>(column: Column<T>): string {
  return `cell rank-${column.rank}${column.align === 'end' ? ' end' : ''} col-${column.key}`;
}

/** One set of tracks for each width; the style sheet picks by container query. */
function tracks<T>(columns: readonly Column<T>[], selectable: boolean): Record<`--${string}`, string> {
  const of = (ranks: readonly string[]) =>
    [
      ...(selectable ? ['2.4rem'] : []),
      ...columns.filter(({ rank }) => ranks.includes(rank)).map(({ width }) => width),
    ].join(' ');
  return {
    '--tracks-small': of(['always']),
    '--tracks-medium': of(['always', 'medium']),
    '--tracks-large': of(['always', 'medium', 'large']),
    '--tracks-wide': of(['always', 'medium', 'large', 'wide']),
  };
}

function useSorted<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort | undefined): readonly T[] {
  const sortBy = columns.find(({ key }) => key === sort?.key)?.sortBy;
  return useMemo(() => {
    if (!sortBy) return rows;
    const sign = sort?.descending ? -1 : 1;
    return [...rows].sort((a, b) => sign * compare(sortBy(a), sortBy(b)));
  }, [rows, sortBy, sort]);
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
}

function toggled(keys: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(keys);
  if (!next.delete(key)) next.add(key);
  return next;
}

/** Which row holds the tab stop, by key, so that a re-sort or a removal elsewhere does not move it. */
function useRovingRow<T>(rows: readonly TableEntry<T>[], reveal: (index: number) => void) {
  const [current, setCurrent] = useState<string>();
  const [wanted, setWanted] = useState<string>();
  const lastIndex = useRef(0);
  let index = rows.findIndex(({ key }) => key === current);
  // The row is gone: its place is taken by the one that moved up.
  if (index === -1) index = Math.min(lastIndex.current, rows.length - 1);
  useEffect(() => {
    lastIndex.current = Math.max(0, index);
  }, [index]);
  const move = (next: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
    if (row === undefined) return;
    reveal(rows.indexOf(row));
    setCurrent(row.key);
    setWanted(row.key);
  };
  const onFocus = useCallback((key: string) => {
    setCurrent(key);
    setWanted((before) => (before === key ? before : undefined));
  }, []);
  return { index, wanted, move, onFocus };
}

function useGridKeys<T>(
  table: DataTableProps<T>,
  rows: readonly TableEntry<T>[],
  index: number,
  move: (index: number) => void,
) {
  const step = (key: string): number | undefined => {
    if (key === 'j' || key === 'ArrowDown') return index + 1;
    if (key === 'k' || key === 'ArrowUp') return index - 1;
    if (key === 'Home') return 0;
    if (key === 'End') return rows.length - 1;
    if (key === 'PageDown') return index + 10;
    if (key === 'PageUp') return index - 10;
    return undefined;
  };
  // From nowhere, the first j or arrow lands on the list.
  const enter = useRef(move);
  useEffect(() => {
    enter.current = () => move(index);
  });
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => {
      const idle = document.activeElement === document.body || document.activeElement === null;
      if (!idle || !['j', 'k', 'ArrowDown', 'ArrowUp'].includes(event.key) || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      enter.current(0);
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
  return (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (!(event.target as HTMLElement).closest('.table-row:not(.table-head)')) return;
    const next = step(event.key);
    if (next !== undefined) {
      event.preventDefault();
      move(next);
      return;
    }
    const entry = rows[index];
    if (entry === undefined) return;
    const onRow = (event.target as HTMLElement).classList.contains('table-row');
    if (entry.kind === 'group') {
      pressGroupKey(table, entry, onRow, event);
      return;
    }
    const { row } = entry;
    if (event.key === 'x' || (event.key === ' ' && onRow)) {
      event.preventDefault();
      table.selection?.onChange(toggled(table.selection.keys, table.keyOf(row)));
    } else if (event.key === 'Enter') {
      if (onRow) table.onOpen(row);
    } else {
      table.onKey?.(row, event);
    }
  };
}

function pressGroupKey<T>(
  { grouping, selection, keyOf }: DataTableProps<T>,
  { group, rows }: TableEntry<T> & { readonly kind: 'group' },
  onRow: boolean,
  event: KeyboardEvent,
): void {
  const collapsed = grouping?.collapsed.has(group) ?? false;
  const turns = event.key === 'ArrowRight' ? collapsed : event.key === 'ArrowLeft' ? !collapsed : event.key === 'Enter';
  if (event.key === 'x' || (event.key === ' ' && onRow)) {
    event.preventDefault();
    selection?.onChange(toggledAll(selection.keys, rows.map(keyOf)));
  } else if (turns && onRow) {
    event.preventDefault();
    grouping?.onToggle(group);
  } else {
    grouping?.onKey?.(rows, event);
  }
}
