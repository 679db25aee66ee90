import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { ArrowDown, ArrowUp, ChevronsDown, Clock, Copy, Download, Regex, WrapText } from 'lucide-react';
import type { ContainerView } from '../../src-main/contract/engine.ts';
import { copyText, saveText } from '../actions/links.ts';
import { host } from '../bridge.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Empty } from '../components/empty.tsx';
import { Notice } from '../components/notice.tsx';
import { SearchField } from '../components/search-field.tsx';
import { formatCount } from '../format/quantities.ts';
import { showError } from '../stores/toasts.ts';
import { stripAnsi } from './ansi.ts';
import { LogFeed } from './log-feed.ts';
import { LogLines } from './log-lines.tsx';
import { useSearch, type SearchState } from './use-search.ts';

/** A container's log: live, searchable, coloured, and bounded in what it keeps. */
export function LogView({ container }: { container: ContainerView }) {
  const feed = useFeed(container);
  const version = useSyncExternalStore(feed.subscribe, () => feed.version);
  const [query, setQuery] = useState('');
  const [regex, setRegex] = useState(false);
  const [times, setTimes] = useKept('wherry.log.times', false);
  const [wrap, setWrap] = useKept('wherry.log.wrap', true);
  const [following, setFollowing] = useState(true);
  const search = useSearch(feed, version, { text: query, regex });
  const step = (by: 1 | -1) => {
    setFollowing(false);
    search.step(by);
  };
  useEffect(() => {
    feed.buffer.held = !following;
  }, [feed, following]);
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
        <IconButton icon={Clock} label="Timestamps" aria-pressed={times} onClick={() => setTimes(!times)} />
        <IconButton icon={WrapText} label="Wrap lines" aria-pressed={wrap} onClick={() => setWrap(!wrap)} />
        <IconButton icon={Copy} label="Copy the lines kept here" onClick={() => void copyLines(feed)} />
        <SaveButton container={container} />
      </div>
      <FeedNotice feed={feed} />
      <div className="log-body">
        {feed.buffer.size === 0 ? (
          <NoLines feed={feed} running={container.state === 'running'} />
        ) : (
          <LogLines
            feed={feed}
            version={version}
            look={{ times, wrap, pattern: search.pattern, current: search.current }}
            following={following}
            onFollow={setFollowing}
          />
        )}
        {following || feed.buffer.size === 0 ? null : (
          <Button className="log-live" tone="primary" small icon={ChevronsDown} onClick={() => setFollowing(true)}>
            Jump to live
          </Button>
        )}
      </div>
    </div>
  );
}

/** One feed for as long as the view is there; opened again when an ended container starts anew. */
function useFeed(container: ContainerView): LogFeed {
  const { id, state } = container;
  const feed = useMemo(() => new LogFeed(id), [id]);
  const up = state === 'running' || state === 'paused' || state === 'restarting';
  useEffect(() => feed.open(), [feed, up]);
  useEffect(() => () => feed.close(), [feed]);
  return feed;
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
function FeedNotice({ feed }: { feed: LogFeed }) {
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
      Showing the last {formatCount(feed.buffer.size, 'line')}; older ones are not kept here. Save gets all of them.
    </p>
  );
}

function NoLines({ feed, running }: { feed: LogFeed; running: boolean }) {
  if (feed.state.kind === 'opening') return <p className="log-wait faint">Opening the log…</p>;
  if (feed.state.kind === 'failed') return null;
  return (
    <Empty title={running ? 'Nothing printed yet' : 'Nothing was printed'}>
      <p>{running ? 'Lines appear here as the container writes them.' : 'This container wrote nothing to its log.'}</p>
    </Empty>
  );
}

function SaveButton({ container }: { container: ContainerView }) {
  const [busy, setBusy] = useState(false);
  const save = () => {
    setBusy(true);
    saveAll(container)
      .catch((error: unknown) => showError('Could not save the log', error))
      .finally(() => setBusy(false));
  };
  return <IconButton icon={Download} label="Save the whole log" busy={busy} disabled={busy} onClick={save} />;
}

/** The whole log as the engine has it, not only what is kept here. */
async function saveAll({ id, name }: ContainerView): Promise<void> {
  const parts: string[] = [];
  for await (const { lines } of host.open('logs.follow', { containerId: id, tail: 'all', follow: false })) {
    parts.push(lines.map(({ time, text }) => `${time} ${stripAnsi(text)}\n`).join(''));
  }
  saveText(parts, `${name.replace(/[^\w.-]+/g, '_').slice(0, 80)}.log`);
}

async function copyLines({ buffer }: LogFeed): Promise<void> {
  const lines: string[] = [];
  for (const { text } of buffer) lines.push(stripAnsi(text));
  await copyText(lines.join('\n'), formatCount(lines.length, 'line'));
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
