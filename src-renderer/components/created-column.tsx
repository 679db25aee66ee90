import type { Column } from './data-table.tsx';
import { Ago } from './text.tsx';

/** When an object was made: newest first. */
export function createdColumn<T extends { readonly createdAtMs: number }>(
  rank: Column<T>['rank'],
  width = '8rem',
): Column<T> {
  return {
    key: 'created',
    header: 'Created',
    width,
    rank,
    sortBy: ({ createdAtMs }) => -createdAtMs,
    render: ({ createdAtMs }) => (
      <span className="quiet outside">
        <Ago timeMs={createdAtMs} />
      </span>
    ),
  };
}
