/** A JSON value as the rows of a tree: what is folded, what a search opens, and the path of each. Pure. */

export interface JsonRow {
  /** jq's way to it: `.State.Status`, `.Mounts[0]`. */
  readonly path: string;
  readonly depth: number;
  readonly name: string;
  readonly value: unknown;
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';
  /** How many inside; 0 for values. */
  readonly count: number;
  readonly open: boolean;
}

/** Depth first, folded parts left out. `open` holds paths whose state differs from the default for their depth. */
export function jsonRows(root: unknown, toggled: ReadonlySet<string>, openDepth: number): readonly JsonRow[] {
  const rows: JsonRow[] = [];
  const visit = (value: unknown, name: string, path: string, depth: number) => {
    const inside = entriesOf(value);
    const open = inside.length > 0 && depth < openDepth !== toggled.has(path);
    rows.push({ path, depth, name, value, kind: kindOf(value), count: inside.length, open });
    if (!open) return;
    for (const [key, child] of inside) visit(child, key, childPath(path, key, Array.isArray(value)), depth + 1);
  };
  for (const [key, child] of entriesOf(root)) visit(child, key, childPath('', key, Array.isArray(root)), 0);
  return rows;
}

/** Paths whose name or plain value contains the text, and all that lead to them. */
export function findJson(
  root: unknown,
  text: string,
): { readonly hits: readonly string[]; readonly way: ReadonlySet<string> } {
  const wanted = text.toLowerCase();
  const hits: string[] = [];
  const way = new Set<string>();
  if (wanted === '') return { hits, way };
  const visit = (value: unknown, name: string, path: string, parents: readonly string[]) => {
    const inside = entriesOf(value);
    const hit =
      name.toLowerCase().includes(wanted) || (inside.length === 0 && plainText(value).toLowerCase().includes(wanted));
    if (hit) {
      hits.push(path);
      for (const parent of parents) way.add(parent);
    }
    for (const [key, child] of inside) {
      visit(child, key, childPath(path, key, Array.isArray(value)), [...parents, path]);
    }
  };
  for (const [key, child] of entriesOf(root)) visit(child, key, childPath('', key, Array.isArray(root)), []);
  return { hits, way };
}

export function plainText(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.map((child: unknown, index) => [String(index), child] as const);
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function childPath(path: string, key: string, inArray: boolean): string {
  if (inArray) return `${path}[${key}]`;
  return /^[A-Za-z_]\w*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function kindOf(value: unknown): JsonRow['kind'] {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'object' || type === 'number' || type === 'boolean' ? type : 'string';
}
