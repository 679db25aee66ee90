import { useEffect, useMemo, useRef, useState } from 'react';
import { ArrowDown, ArrowUp, Braces, ChevronDown, ChevronRight, Copy, Route } from 'lucide-react';
import { copyText } from '../../actions/links.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { findJson, jsonRows, plainText, type JsonRow } from './json-rows.ts';

const openDepth = 1;
const shownChars = 500;

interface Answer {
  readonly value?: { readonly raw: unknown };
  readonly problem?: string;
}

/** The engine's whole answer as a tree to search, fold and copy from. */
export function Inspect({ details }: { details: Answer }) {
  const raw = details.value?.raw;
  const [query, setQuery] = useState('');
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const [place, setPlace] = useState(0);
  const found = useMemo(() => findJson(raw, query.trim()), [raw, query]);
  const rows = useMemo(() => jsonRows(raw, opened(toggled, found.way), openDepth), [raw, toggled, found]);
  const current = found.hits[place];
  const pane = useRef<HTMLDivElement>(null);
  useEffect(() => setPlace(0), [query]);
  useEffect(() => {
    if (current !== undefined) pane.current?.querySelector('.tree-row.current')?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  const step = (by: number) => {
    if (found.hits.length > 0) setPlace((place + by + found.hits.length) % found.hits.length);
  };
  const toggle = (path: string) => {
    setToggled((before) => {
      const next = new Set(before);
      if (!next.delete(path)) next.add(path);
      return next;
    });
  };
  return (
    <div className="inspect">
      <div
        className="log-bar"
        onKeyDown={(event) => {
          if (event.key === 'Enter' && event.target instanceof HTMLInputElement) step(event.shiftKey ? -1 : 1);
        }}
      >
        <SearchField value={query} label="Search names and values" onChange={setQuery} slash />
        <IconButton icon={ArrowUp} label="Previous match" disabled={found.hits.length === 0} onClick={() => step(-1)} />
        <IconButton icon={ArrowDown} label="Next match" disabled={found.hits.length === 0} onClick={() => step(1)} />
        <span className="log-count" role="status">
          {query.trim() === '' ? '' : found.hits.length === 0 ? 'No match' : `${place + 1} of ${found.hits.length}`}
        </span>
        <span className="spacer" />
        <Button
          small
          icon={Braces}
          disabled={raw === undefined}
          onClick={() => void copyText(JSON.stringify(raw, null, 2), 'all as JSON')}
        >
          Copy all
        </Button>
      </div>
      {details.problem === undefined ? null : (
        <div className="log-notice">
          <Notice tone="warn">
            <p>{details.problem}</p>
          </Notice>
        </div>
      )}
      <div ref={pane} className="tree scroll" role="tree" aria-label="Inspect" tabIndex={0}>
        {raw === undefined && details.problem === undefined ? <SkeletonRows /> : null}
        {rows.map((row) => (
          <TreeRow
            key={row.path}
            row={row}
            hit={found.hits.includes(row.path)}
            current={row.path === current}
            onToggle={toggle}
          />
        ))}
      </div>
    </div>
  );
}

/** The way to a hit is open, whatever the user folded. */
function opened(toggled: ReadonlySet<string>, way: ReadonlySet<string>): ReadonlySet<string> {
  if (way.size === 0) return toggled;
  const next = new Set(toggled);
  for (const path of way) {
    const shallow = depthOf(path) < openDepth;
    if (shallow) next.delete(path);
    else next.add(path);
  }
  return next;
}

function depthOf(path: string): number {
  return (path.match(/\.[A-Za-z_]\w*|\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g)?.length ?? 1) - 1;
}

interface TreeRowProps {
  readonly row: JsonRow;
  readonly hit: boolean;
  readonly current: boolean;
  readonly onToggle: (path: string) => void;
}

function TreeRow({ row, hit, current, onToggle }: TreeRowProps) {
  const branch = row.kind === 'object' || row.kind === 'array';
  const Chevron = row.open ? ChevronDown : ChevronRight;
  const classes = ['tree-row', hit ? 'hit' : '', current ? 'current' : ''].filter(Boolean).join(' ');
  return (
    <div
      className={classes}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-expanded={row.count > 0 ? row.open : undefined}
      style={{ paddingLeft: `${1.25 + row.depth * 1.2}rem` }}
    >
      {row.count > 0 ? (
        <button
          type="button"
          className="tree-toggle"
          aria-label={`${row.open ? 'Fold' : 'Unfold'} ${visibleText(row.name, 60)}`}
          onClick={() => onToggle(row.path)}
        >
          <Chevron className="icon" aria-hidden />
        </button>
      ) : (
        <span className="tree-toggle" />
      )}
      <bdi className="tree-name">{visibleText(row.name, 200)}</bdi>
      <bdi className={`tree-value ${row.kind}`}>{branch ? summary(row) : shown(row)}</bdi>
      <span className="tree-actions">
        <IconButton icon={Route} label="Copy path" onClick={() => void copyText(row.path, 'the path')} />
        <IconButton
          icon={Copy}
          label="Copy value"
          onClick={() => void copyText(branch ? JSON.stringify(row.value, null, 2) : plainText(row.value), 'the value')}
        />
      </span>
    </div>
  );
}

function summary({ kind, count }: JsonRow): string {
  if (kind === 'array') return count === 0 ? '[ ]' : `[ ${count} ]`;
  return count === 0 ? '{ }' : `{ ${count} }`;
}

function shown({ value, kind }: JsonRow): string {
  const text = visibleText(plainText(value), shownChars);
  return kind === 'string' ? `"${text}"` : text;
}
