import { useEffect, useState, useSyncExternalStore } from 'react';
import { ArrowDown, ArrowUp, Braces, ChevronsDown, Clock, Copy, Download, Regex, WrapText } from 'lucide-react';
import { copyText } from '../actions/links.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Empty } from '../components/empty.tsx';
import { Notice } from '../components/notice.tsx';
import { SearchField } from '../components/search-field.tsx';
import { formatCount } from '../format/quantities.ts';
import { showError } from '../stores/toasts.ts';
import { noFilter, type LineFilter } from './log-filter.ts';
import { LogLines } from './log-lines.tsx';
import type { SearchView } from './log-protocol.ts';
import type { LogSource } from './log-source.ts';

/** A clipboard holds more, but whoever pastes it waits. */
const copiedChars = 20_000_000;

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
  useSyncExternalStore(source.subscribe, () => source.version);
  const { log } = source;
  const { view } = log;
  const [filter, setFilter] = useState(noFilter);
  const [query, setQuery] = useState('');
  const [regex, setRegex] = useState(false);
  const [times, setTimes] = useKept('wherry.log.times', false);
  const [wrap, setWrap] = useKept('wherry.log.wrap', true);
  const [pretty, setPretty] = useKept('wherry.log.json', false);
  const [following, setFollowing] = useState(true);
  useEffect(() => log.filter(filter), [log, filter]);
  useEffect(() => log.search({ text: query, regex }), [log, query, regex]);
  useEffect(() => log.pretty(pretty), [log, pretty]);
  useEffect(() => log.follow(following), [log, following]);
  const step = (by: 1 | -1) => {
    setFollowing(false);
    log.follow(false);
    log.step(by);
  };
  const loadOlder = () => {
    setFollowing(false);
    log.follow(false);
    source.loadOlder?.();
  };
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
          <SearchCount query={query} search={view.search} />
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
        <IconButton icon={Copy} label="Copy the lines kept here" onClick={() => void copyLines(source, origins)} />
        <SaveButton label={saveLabel} onSave={onSave} />
      </div>
      <FeedNotice feed={source} onOlder={loadOlder} />
      <div className="log-body">
        {view.kept === 0 ? (
          <NoLines feed={source} running={running} />
        ) : view.passing === 0 && !view.filtering ? (
          <Empty title="No line matches" actions={<Button onClick={() => setFilter(noFilter)}>Show all lines</Button>}>
            <p>The filter leaves none of {formatCount(view.kept, 'line')}.</p>
          </Empty>
        ) : (
          <LogLines
            source={source}
            look={{ times, wrap, pretty, ...(origins === undefined ? {} : { origins }) }}
            following={following}
            onFollow={setFollowing}
            onOlder={loadOlder}
          />
        )}
        {following || view.passing === 0 ? null : (
          <Button className="log-live" tone="primary" small icon={ChevronsDown} onClick={() => setFollowing(true)}>
            Jump to live
          </Button>
        )}
      </div>
    </div>
  );
}

function SearchCount({ query, search }: { query: string; search: SearchView }) {
  if (query === '') return <span className="log-count" />;
  if (search.problem !== undefined) {
    return (
      <span className="log-count bad" title={search.problem} role="status">
        {search.problem}
      </span>
    );
  }
  const total = `${search.count.toLocaleString('en')}${search.scanning ? '…' : ''}`;
  return (
    <span className="log-count" role="status">
      {search.place > 0
        ? `${search.place.toLocaleString('en')} of ${total}`
        : `${total} ${search.count === 1 ? 'line' : 'lines'}`}
    </span>
  );
}

/** What the reader should know about what is not shown. */
function FeedNotice({ feed, onOlder }: { feed: LogSource; onOlder: () => void }) {
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
  return feed.log.view.kept === 0 ? null : <OlderStrip feed={feed} onOlder={onOlder} />;
}

/** What there is before the oldest line here, and how it is had. */
function OlderStrip({ feed, onOlder }: { feed: LogSource; onOlder: () => void }) {
  const { older } = feed;
  const shown = `Showing the last ${formatCount(feed.log.view.kept, 'line')}`;
  if (older.kind === 'start') return null;
  if (older.kind === 'elsewhere') {
    const each = older.linesOfEach.toLocaleString('en');
    return <p className="log-strip">Each log begins with its last {each} lines; its own page has the older ones.</p>;
  }
  if (older.kind === 'full') {
    return <p className="log-strip">{shown}; there is no room for older ones here. Save gets all of them.</p>;
  }
  if (older.kind === 'loading') {
    return (
      <p className="log-strip" role="status">
        {shown}. Loading older ones… {older.count > 0 ? older.count.toLocaleString('en') : ''}
      </p>
    );
  }
  return (
    <p className="log-strip">
      {older.kind === 'failed' ? `Older lines could not be loaded: ${older.message}` : `${shown}.`}{' '}
      <button type="button" className="link" onClick={onOlder}>
        {older.kind === 'failed' ? 'Try again' : 'Load older ones'}
      </button>
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

async function copyLines({ log }: LogSource, names: readonly string[] | undefined): Promise<void> {
  const { text, lines } = await log.text({ times: false, ...(names === undefined ? {} : { names }) });
  if (text.length > copiedChars) {
    showError(
      'Could not copy the lines',
      new Error('They are too many for the clipboard. Save them to a file instead.'),
    );
    return;
  }
  await copyText(text, formatCount(lines, 'line'));
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
