import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { RotateCcw, X } from 'lucide-react';
import { Button } from '../components/button.tsx';
import { SearchField } from '../components/search-field.tsx';
import { sessionOf, type SessionState } from './terminal-session.ts';

interface TerminalPaneProps {
  readonly id: string;
  /** It has the keys, of those in sight. */
  readonly focused: boolean;
  readonly searching: boolean;
  readonly onFocus: () => void;
  readonly onSearch: (searching: boolean) => void;
  readonly onReopen: () => void;
  readonly onClose: () => void;
}

/** One terminal in sight: the session's screen, its search, and what became of it. */
export function TerminalPane({ id, focused, searching, onFocus, onSearch, onReopen, onClose }: TerminalPaneProps) {
  const session = sessionOf(id);
  const state = useSyncExternalStore(session.subscribe, () => session.state);
  const place = useRef<HTMLDivElement>(null);
  const endSearch = () => {
    onSearch(false);
    session.focus();
  };
  useEffect(() => {
    if (!place.current) return;
    session.mount(place.current);
    return () => session.unmount();
  }, [session]);
  useEffect(() => {
    if (focused) session.focus();
  }, [session, focused]);
  return (
    <div
      className={focused ? 'terminal-pane focused' : 'terminal-pane'}
      onFocus={focused ? undefined : onFocus}
      onKeyDown={(event) => {
        if (!event.ctrlKey || !event.shiftKey || event.code !== 'KeyF') return;
        event.preventDefault();
        onSearch(true);
      }}
    >
      {searching ? <SearchBar id={id} onClose={endSearch} /> : null}
      <div ref={place} className="terminal-place" />
      <EndBar state={state} onReopen={onReopen} onClose={onClose} />
    </div>
  );
}

function SearchBar({ id, onClose }: { id: string; onClose: () => void }) {
  const [text, setText] = useState('');
  const [found, setFound] = useState(true);
  const bar = useRef<HTMLDivElement>(null);
  const session = sessionOf(id);
  useEffect(() => {
    bar.current?.querySelector('input')?.focus();
    return () => void session.find('', 'next');
  }, [session]);
  const find = (value: string, direction: 'next' | 'previous') =>
    setFound(value === '' || session.find(value, direction));
  return (
    <div
      ref={bar}
      className="terminal-search"
      onKeyDown={(event) => {
        if (event.key === 'Enter') {
          event.preventDefault();
          event.stopPropagation();
          find(text, event.shiftKey ? 'next' : 'previous');
        } else if (event.key === 'Escape') onClose();
      }}
    >
      <SearchField
        value={text}
        label="Search the terminal"
        onChange={(value) => {
          setText(value);
          find(value, 'previous');
        }}
      />
      <span className="log-count" role="status">
        {found ? '' : 'Not found'}
      </span>
      <button type="button" className="icon-button" aria-label="Close the search" onClick={onClose}>
        <X className="icon" aria-hidden />
      </button>
    </div>
  );
}

function EndBar({ state, onReopen, onClose }: { state: SessionState; onReopen: () => void; onClose: () => void }) {
  if (state.kind === 'broken') {
    return (
      <div className="terminal-end warn" role="status">
        The link is down. The terminal comes back by itself.
      </div>
    );
  }
  if (state.kind !== 'ended' && state.kind !== 'failed') return null;
  const failed = state.kind === 'failed' || state.exitCode !== 0;
  return (
    <div className={failed ? 'terminal-end bad' : 'terminal-end'} role="status">
      <span>{state.kind === 'failed' ? state.message : `Ended with exit code ${state.exitCode}.`}</span>
      <Button small icon={RotateCcw} onClick={onReopen}>
        Open again
      </Button>
      <Button small tone="ghost" onClick={onClose}>
        Close
      </Button>
    </div>
  );
}
