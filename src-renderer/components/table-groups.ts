/** Rows of a table under the heads of their groups. Pure. */
import type { KeyboardEvent, ReactNode } from 'react';

export interface Grouping<T> {
  /** The group's name; undefined for a row that stands by itself. */
  readonly of: (row: T) => string | undefined;
  readonly collapsed: ReadonlySet<string>;
  readonly onToggle: (group: string) => void;
  readonly renderHead: (group: string, rows: readonly T[]) => ReactNode;
  readonly onKey?: (rows: readonly T[], event: KeyboardEvent) => void;
}

export interface Selection {
  readonly keys: ReadonlySet<string>;
  readonly onChange: (keys: ReadonlySet<string>) => void;
}

/** Where a row is drawn, and whether it has the tab stop and the focus. */
export interface RowPlace {
  readonly index: number;
  readonly top: number;
  readonly tabStop: boolean;
  readonly focusNow: boolean;
  readonly onFocus: (key: string) => void;
}

export type TableEntry<T> =
  | { readonly kind: 'row'; readonly key: string; readonly row: T; readonly grouped: boolean }
  | { readonly kind: 'group'; readonly key: string; readonly group: string; readonly rows: readonly T[] };

/** In the order of the rows; a group stands where its first row would. */
export function groupRows<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  grouping: Pick<Grouping<T>, 'of' | 'collapsed'> | undefined,
): readonly TableEntry<T>[] {
  const single = (row: T, grouped: boolean) => ({ kind: 'row', key: keyOf(row), row, grouped }) as const;
  if (!grouping) return rows.map((row) => single(row, false));
  const members = new Map<string, T[]>();
  const order: ({ readonly row: T } | { readonly group: string })[] = [];
  for (const row of rows) {
    const group = grouping.of(row);
    const known = group === undefined ? undefined : members.get(group);
    if (group === undefined) order.push({ row });
    else if (known) known.push(row);
    else {
      members.set(group, [row]);
      order.push({ group });
    }
  }
  return order.flatMap((place): TableEntry<T>[] => {
    if ('row' in place) return [single(place.row, false)];
    const { group } = place;
    const inside = members.get(group) ?? [];
    const head = { kind: 'group', key: `group:${group}`, group, rows: inside } as const;
    return grouping.collapsed.has(group) ? [head] : [head, ...inside.map((row) => single(row, true))];
  });
}

/** All of them, or none when all were. */
export function toggledAll(keys: ReadonlySet<string>, some: readonly string[]): ReadonlySet<string> {
  const all = some.every((key) => keys.has(key));
  const next = new Set(keys);
  for (const key of some) {
    if (all) next.delete(key);
    else next.add(key);
  }
  return next;
}
