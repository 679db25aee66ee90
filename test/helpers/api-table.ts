/** What becomes of each path of the Engine API, as a Markdown table. */
import { refusals } from '../../vm/agent/http/no-swarm.ts';
import type { Route } from '../../vm/agent/http/route.ts';
import { apiPaths } from './api-paths.ts';

export interface ApiEntry {
  readonly method: string;
  readonly path: string;
  /** Undefined: the engine does not know it. */
  readonly status: 'implemented' | 'refused' | undefined;
  readonly detail: string;
}

/** `:id`, `*name` and `{id}` alike. */
function shape(path: string): string {
  return path.replace(/\{\w+\}|[:*]\w+/g, '{}');
}

export function apiEntries(routes: readonly Pick<Route, 'method' | 'path'>[]): ApiEntry[] {
  return apiPaths.map(({ method, path }) => {
    const fits = (other: Pick<Route, 'method' | 'path'>): boolean =>
      other.method === method && shape(other.path) === shape(path);
    const refusal = refusals.find(fits);
    // The first route of a path answers; a refusal is also a route.
    const known = routes.filter(fits).length;
    if (known > (refusal === undefined ? 0 : 1)) return { method, path, status: 'implemented', detail: '' };
    if (refusal === undefined) return { method, path, status: undefined, detail: 'not known: 404' };
    return { method, path, status: 'refused', detail: refusal.reason };
  });
}

/** As prettier would have it, so that the page stays as it is written. */
export function apiTable(entries: readonly ApiEntry[]): string {
  const rows = entries.map(({ method, path, status, detail }) => [
    `\`${method} ${path}\``,
    [status, detail].filter((word) => word !== undefined && word !== '').join(': '),
  ]);
  const all = [['path', 'here'], ...rows];
  const width = (column: number): number => Math.max(...all.map((row) => (row[column] ?? '').length));
  const line = (row: readonly string[], fill = ' '): string =>
    `| ${row.map((cell, column) => cell.padEnd(width(column), fill)).join(' | ')} |`;
  return [line(['path', 'here']), line(['', ''], '-'), ...rows.map((row) => line(row))].join('\n');
}
