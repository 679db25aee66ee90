import { useEffect, useState, useSyncExternalStore } from 'react';
import { ArrowDown, ArrowUp, Braces, ChevronsDown, Clock, Copy, Download, Regex, WrapText } from 'lucide-react';
import { copyText } from '../actions/links.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Empty } from '../components/empty.tsx';
import { Notice } from '../components/notice.tsx';
import { SearchField } from '../components/search-field.tsx';
import { formatCount } from '../format/quantities.ts';
import { showError } from '../stores/toasts.ts';
import { stripAnsi } from './ansi.ts';
import type { LogBuffer } from './log-buffer.ts';
import { noFilter, type LineFilter } from './log-filter.ts';
import { LogLines } from './log-lines.tsx';
import type { LogSource } from './log-source.ts';
import { useFilter } from './use-filter.ts';
import { useSearch, type SearchState } from './use-search.ts';

interface LogPanelProps {
  readonly source: LogSource;
  /** Whether more may come. */
  readonly running: boolean;
  /** Of several logs merged: the name of each. */
  readonly origins?: readonly string[];
  readonly saveLabel: string;
  readonly onSave: () => Promise<void>;
}

/** A log: live, searchable, coloured, filtered, and bounded in what it keeps. */
export function LogPanel({ source, running, origins, saveLabel, onSave }: LogPanelProps) {
  const changes = useSyncExternalStore(source.subscribe, () => source.version);
  const [filter, setFilter] = useState(noFilter);
  const { buffer, version } = useFilter(source.buffer, changes, filter);
  const [query, setQuery] = useState('');
  const [regex, setRegex] = useState(false);
  const [times, setTimes] = useKept('wherry.log.times', false);
  const [wrap, setWrap] = useKept('wherry.log.wrap', true);
  const [pretty, setPretty] = useKept('wherry.log.json', false);
  const [following, setFollowing] = useState(true);
  const search = useSearch(buffer, version, { text: query, regex });
  const step = (by: 1 | -1) => {
    setFollowing(false);
    search.step(by);
  };
  useEffect(() => {
    source.buffer.held = !following;
    buffer.held = !following;
  }, [source, buffer, following]);
  return (
    <div className="logs">
      <div className="log-bar" role="toolbar" aria-label="Log tools">
        <div
          className="log-search"
          onKeyDown={(event) => {
            if (event.key !== 'Enter' && event.key !== 'F3') return;
            event.preventDefault();
            step(event.shiftKey ? -1 : 1);
          }}
        >
          <SearchField value={query} label="Search the log" onChange={setQuery} slash />
          <IconButton icon={Regex} label="Regular expression" aria-pressed={regex} onClick={() => setRegex(!regex)} />
          <IconButton
            icon={ArrowUp}
            label="Previous match"
            shortcut="Shift+Enter"
            disabled={query === ''}
            onClick={() => step(-1)}
          />
          <IconButton
            icon={ArrowDown}
            label="Next match"
            shortcut="Enter"
            disabled={query === ''}
            onClick={() => step(1)}
          />
          <SearchCount query={query} search={search} />
        </div>
        <FilterFields filter={filter} onChange={setFilter} />
        <IconButton icon={Clock} label="Timestamps" aria-pressed={times} onClick={() => setTimes(!times)} />
        <IconButton icon={WrapText} label="Wrap lines" aria-pressed={wrap} onClick={() => setWrap(!wrap)} />
        <IconButton
          icon={Braces}
          label="Spread JSON over lines"
          aria-pressed={pretty}
          onClick={() => setPretty(!pretty)}
        />
        <IconButton icon={Copy} label="Copy the lines kept here" onClick={() => void copyLines(buffer, origins)} />
        <SaveButton label={saveLabel} onSave={onSave} />
      </div>
      <FeedNotice feed={source} savesAll={origins === undefined} />
      <div className="log-body">
        {source.buffer.size === 0 ? (
          <NoLines feed={source} running={running} />
        ) : buffer.size === 0 ? (
          <Empty title="No line matches" actions={<Button onClick={() => setFilter(noFilter)}>Show all lines</Button>}>
            <p>The filter leaves none of {formatCount(source.buffer.size, 'line')}.</p>
          </Empty>
        ) : (
          <LogLines
            buffer={buffer}
            version={version}
            look={{
              times,
              wrap,
              pretty,
              pattern: search.pattern,
              current: search.current,
              ...(origins === undefined ? {} : { origins }),
            }}
            following={following}
            onFollow={setFollowing}
          />
        )}
        {following || buffer.size === 0 ? null : (
          <Button className="log-live" tone="primary" small icon={ChevronsDown} onClick={() => setFollowing(true)}>
            Jump to live
          </Button>
        )}
      </div>
    </div>
  );
}

function SearchCount({ query, search }: { query: string; search: SearchState }) {
  if (query === '') return <span className="log-count" />;
  if (search.problem !== undefined) {
    return (
      <span className="log-count bad" title={search.problem} role="status">
        {search.problem}
      </span>
    );
  }
  const total = `${search.numbers.length.toLocaleString('en')}${search.scanning ? '…' : ''}`;
  return (
    <span className="log-count" role="status">
      {search.place > 0 ? `${search.place.toLocaleString('en')} of ${total}` : `${total} lines`}
    </span>
  );
}

/** What the reader should know about what is not shown. */
function FeedNotice({ feed, savesAll }: { feed: LogSource; savesAll: boolean }) {
  const { state } = feed;
  if (state.kind === 'failed') {
    return (
      <div className="log-notice">
        <Notice
          tone="bad"
          action={
            <Button small onClick={() => feed.open()}>
              Try again
            </Button>
          }
        >
          <p>{state.message}</p>
        </Notice>
      </div>
    );
  }
  if (state.kind === 'broken')
    return <p className="log-strip">The stream broke. It goes on where it stopped, by itself.</p>;
  if (feed.reachesStart || feed.buffer.size === 0) return null;
  return (
    <p className="log-strip">
      Showing the last {formatCount(feed.buffer.size, 'line')}; older ones are not kept here.
      {savesAll ? ' Save gets all of them.' : ' A container’s own page can save all of its log.'}
    </p>
  );
}

function NoLines({ feed, running }: { feed: LogSource; running: boolean }) {
  if (feed.state.kind === 'opening') return <p className="log-wait faint">Opening the log…</p>;
  if (feed.state.kind === 'failed') return null;
  return (
    <Empty title={running ? 'Nothing printed yet' : 'Nothing was printed'}>
      <p>{running ? 'Lines appear here as the container writes them.' : 'This container wrote nothing to its log.'}</p>
    </Empty>
  );
}

function SaveButton({ label, onSave }: { label: string; onSave: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const save = () => {
    setBusy(true);
    onSave()
      .catch((error: unknown) => showError('Could not save the log', error))
      .finally(() => setBusy(false));
  };
  return <IconButton icon={Download} label={label} busy={busy} disabled={busy} onClick={save} />;
}

async function copyLines(buffer: LogBuffer, origins: readonly string[] | undefined): Promise<void> {
  const lines: string[] = [];
  for (const { text, origin = 0 } of buffer) {
    lines.push(origins === undefined ? stripAnsi(text) : `${origins[origin] ?? ''} | ${stripAnsi(text)}`);
  }
  await copyText(lines.join('\n'), formatCount(lines.length, 'line'));
}

const streamNames = { all: 'All output', stdout: 'Output', stderr: 'Error output' } as const;
const levelNames = { all: 'All levels', debug: 'Debug', info: 'Info', warn: 'Warnings', error: 'Errors' } as const;

function FilterFields({ filter, onChange }: { filter: LineFilter; onChange: (filter: LineFilter) => void }) {
  return (
    <>
      <select
        className="select log-filter"
        aria-label="Stream"
        value={filter.stream}
        onChange={(event) => onChange({ ...filter, stream: event.target.value as LineFilter['stream'] })}
      >
        {Object.entries(streamNames).map(([value, name]) => (
          <option key={value} value={value}>
            {value === 'all' ? name : `${name} (${value})`}
          </option>
        ))}
      </select>
      <select
        className="select log-filter"
        aria-label="Level"
        value={filter.level}
        onChange={(event) => onChange({ ...filter, level: event.target.value as LineFilter['level'] })}
      >
        {Object.entries(levelNames).map(([value, name]) => (
          <option key={value} value={value}>
            {value === 'all' || value === 'error' ? name : `${name} and up`}
          </option>
        ))}
      </select>
    </>
  );
}

function useKept(key: string, initial: boolean): [boolean, (value: boolean) => void] {
  const [value, setValue] = useState(() => (localStorage.getItem(key) ?? String(initial)) === 'true');
  return [
    value,
    (next) => {
      localStorage.setItem(key, String(next));
      setValue(next);
    },
  ];
}
