import { useEffect, useState } from 'react';
import { Plus, Search, SquareTerminal, X } from 'lucide-react';
import type { ContainerView, TerminalView } from '../../src-main/contract/engine.ts';
import { host } from '../bridge.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Empty } from '../components/empty.tsx';
import { Outside } from '../components/text.tsx';
import { splitWords } from '../screens/images/split-words.ts';
import { useTerminals } from '../stores/objects.ts';
import { showError } from '../stores/toasts.ts';
import { useEngineReady } from '../stores/vm.ts';
import { TerminalPane } from './terminal-pane.tsx';
import { dropSession } from './terminal-session.ts';

const none: readonly TerminalView[] = [];
/** Containers for which this window already opened the first terminal by itself. */
const greeted = new Set<string>();

/** All terminals of one container as tabs. The list is the host's, so a reloaded window finds them again. */
export function TerminalsView({ container }: { container: ContainerView }) {
  const { id: containerId, state } = container;
  const all = useTerminals((store) => store.value);
  const own = (all ?? none).filter((view) => view.containerId === containerId);
  const ready = useEngineReady();
  const running = state === 'running';
  const { shown, setShown, open, close, busy } = useTabs(containerId, own);
  const [searching, setSearching] = useState(false);
  const known = all !== undefined;
  useEffect(() => {
    if (!known || !ready || !running || own.length > 0 || greeted.has(containerId)) return;
    greeted.add(containerId);
    open([]);
  }, [known, ready, running, own.length, containerId, open]);
  const current = own.find(({ id }) => id === shown) ?? own.at(-1);
  if (!current) {
    return (
      <Empty
        picture={<SquareTerminal size={36} strokeWidth={1.4} aria-hidden />}
        title={running ? 'No terminal is open' : 'The container is not running'}
        actions={
          <Button tone="primary" icon={Plus} busy={busy} disabled={!running || !ready} onClick={() => open([])}>
            Open a terminal
          </Button>
        }
      >
        <p>{running ? 'A terminal is a shell inside the container.' : 'Start it to open a shell inside.'}</p>
      </Empty>
    );
  }
  return (
    <div className="terminals">
      <div className="terminal-tabs">
        <div className="terminal-tab-list" role="group" aria-label="Terminals">
          {own.map((view, index) => (
            <TerminalTab
              key={view.id}
              view={view}
              name={`${index + 1}`}
              active={view.id === current.id}
              onShow={() => setShown(view.id)}
              onClose={() => close(view.id)}
            />
          ))}
        </div>
        <IconButton
          icon={Plus}
          label="Open another terminal"
          disabled={!running || !ready || busy}
          onClick={() => open([])}
        />
        <OpenCommand disabled={!running || !ready || busy} onOpen={open} />
        <IconButton icon={Search} label="Search" shortcut="Ctrl+Shift+F" onClick={() => setSearching(!searching)} />
      </div>
      <TerminalPane
        key={current.id}
        id={current.id}
        searching={searching}
        onSearch={setSearching}
        onReopen={() => {
          close(current.id);
          open(current.command === 'sh' || current.command === 'bash' ? [] : splitWords(current.command).words);
        }}
        onClose={() => close(current.id)}
      />
    </div>
  );
}

interface TerminalTabProps {
  readonly view: TerminalView;
  readonly name: string;
  readonly active: boolean;
  readonly onShow: () => void;
  readonly onClose: () => void;
}

function TerminalTab({ view, name, active, onShow, onClose }: TerminalTabProps) {
  return (
    <span className={active ? 'terminal-tab active' : 'terminal-tab'}>
      <button type="button" aria-pressed={active} onClick={onShow}>
        <span className="faint">{name}</span>
        <Outside text={view.title === '' ? view.command : view.title} limit={60} />
        {view.state === 'ended' ? <span className="faint">ended</span> : null}
      </button>
      <button type="button" className="icon-button" aria-label={`Close terminal ${name}`} onClick={onClose}>
        <X className="icon" aria-hidden />
      </button>
    </span>
  );
}

/** Another program than the shell. */
function OpenCommand({ disabled, onOpen }: { disabled: boolean; onOpen: (command: readonly string[]) => void }) {
  const [text, setText] = useState('');
  return (
    <form
      className="terminal-command"
      onSubmit={(event) => {
        event.preventDefault();
        const { words, problem } = splitWords(text);
        if (problem !== undefined || words.length === 0) return;
        setText('');
        onOpen(words);
      }}
    >
      <input
        className="input mono"
        aria-label="Command to open a terminal with"
        placeholder="Other command…"
        value={text}
        disabled={disabled}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
      />
    </form>
  );
}

const firstSize = { columns: 100, rows: 30 };
/** The tab last shown of each container, for coming back to it. */
const lastShown = new Map<string, string>();

function useTabs(containerId: string, own: readonly TerminalView[]) {
  const [shown, setShownState] = useState(() => lastShown.get(containerId));
  const [busy, setBusy] = useState(false);
  const [actions] = useState(() => {
    const setShown = (id: string) => {
      lastShown.set(containerId, id);
      setShownState(id);
    };
    const open = (command: readonly string[]) => {
      setBusy(true);
      host
        .call('terminals.open', { containerId, ...firstSize, ...(command.length === 0 ? {} : { command }) })
        .then(({ id }) => setShown(id))
        .catch((error: unknown) => showError('Could not open a terminal', error))
        .finally(() => setBusy(false));
    };
    const close = (id: string) => {
      dropSession(id);
      host.call('terminals.close', { id }).catch((error: unknown) => showError('Could not close the terminal', error));
    };
    return { setShown, open, close };
  });
  // A terminal that is gone at the host (closed in another window) takes its screen with it.
  const ids = own.map(({ id }) => id).join(' ');
  useEffect(() => {
    const held = ids === '' ? [] : ids.split(' ');
    return () => {
      const now = useTerminals.getState().value ?? none;
      for (const id of held) if (!now.some((view) => view.id === id)) dropSession(id);
    };
  }, [ids]);
  return { shown, busy, ...actions };
}
