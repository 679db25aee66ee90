import { useEffect, useRef } from 'react';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { visibleText } from '../format/unsafe-text.ts';
import { toggledAll, type Grouping, type RowPlace, type Selection, type TableEntry } from './table-groups.ts';

interface GroupRowProps<T> extends RowPlace {
  readonly entry: TableEntry<T> & { readonly kind: 'group' };
  readonly table: {
    readonly keyOf: (row: T) => string;
    readonly selection?: Selection;
    readonly grouping: Grouping<T>;
  };
}

/** The head of a group: turns it open and closed, selects all in it, and what the screen adds. */
export function GroupRow<T>({ entry, table, index, top, tabStop, focusNow, onFocus }: GroupRowProps<T>) {
  const element = useRef<HTMLDivElement>(null);
  const { grouping, selection } = table;
  const { key, group, rows } = entry;
  const open = !grouping.collapsed.has(group);
  const Chevron = open ? ChevronDown : ChevronRight;
  const name = visibleText(group, 120);
  useEffect(() => {
    if (focusNow) element.current?.focus({ preventScroll: true });
  }, [focusNow]);
  return (
    <div
      ref={element}
      className="table-row group-row"
      role="row"
      aria-rowindex={index + 2}
      data-key={key}
      tabIndex={tabStop ? 0 : -1}
      style={{ transform: `translateY(${top}px)` }}
      onFocus={() => onFocus(key)}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest('button, a, input, [role="menuitem"]')) grouping.onToggle(group);
      }}
    >
      {selection ? <GroupCheck name={name} keys={rows.map(table.keyOf)} selection={selection} /> : null}
      <div className="cell group-cell" role="gridcell">
        <button
          type="button"
          className="icon-button"
          aria-label={`${open ? 'Collapse' : 'Expand'} ${name}`}
          aria-expanded={open}
          tabIndex={-1}
          onClick={() => grouping.onToggle(group)}
        >
          <Chevron className="icon" aria-hidden />
        </button>
        {grouping.renderHead(group, rows)}
      </div>
    </div>
  );
}

function GroupCheck({ name, keys, selection }: { name: string; keys: readonly string[]; selection: Selection }) {
  const chosen = keys.filter((key) => selection.keys.has(key)).length;
  return (
    <div className="cell check-cell" role="gridcell">
      <input
        type="checkbox"
        className="check"
        tabIndex={-1}
        aria-label={`Select all of ${name}`}
        checked={chosen === keys.length}
        ref={(box) => {
          if (box) box.indeterminate = chosen > 0 && chosen < keys.length;
        }}
        onChange={() => selection.onChange(toggledAll(selection.keys, keys))}
      />
    </div>
  );
}
