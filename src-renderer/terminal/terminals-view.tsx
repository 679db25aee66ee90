import { useEffect, useState } from 'react';
import { ChevronDown, Columns2, Plus, Search, Square, SquareTerminal, UserCog, Wrench, X } from 'lucide-react';
import type { CallInput } from '../../src-main/contract/channels.ts';
import type { ContainerView, TerminalView } from '../../src-main/contract/engine.ts';
import { host } from '../bridge.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Empty } from '../components/empty.tsx';
import { Menu } from '../components/menu.tsx';
import { Outside } from '../components/text.tsx';
import { splitWords } from '../screens/images/split-words.ts';
import { useTerminals } from '../stores/objects.ts';
import { showError } from '../stores/toasts.ts';
import { useEngineReady } from '../stores/vm.ts';
import { TerminalPane } from './terminal-pane.tsx';
import { dropSession } from './terminal-session.ts';
import { keepOpen, maxTiles, noTiles, show, split, unsplit, type Tiles } from './tiles.ts';

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
  const { tiles, setTiles, open, close, busy } = useTabs(containerId, own);
  const [searching, setSearching] = useState(false);
  const known = all !== undefined;
  useEffect(() => {
    if (!known || !ready || !running || own.length > 0 || greeted.has(containerId)) return;
    greeted.add(containerId);
    open({}, (id) => show(noTiles, id));
  }, [known, ready, running, own.length, containerId, open]);
  const here = (id: string): Tiles => show(tiles, id);
  const mayOpen = running && ready && !busy;
  const inSight = tiles.shown.flatMap((id) => own.find((view) => view.id === id) ?? []);
  if (inSight.length === 0) {
    return (
      <Empty
        picture={<SquareTerminal size={36} strokeWidth={1.4} aria-hidden />}
        title={running ? 'No terminal is open' : 'The container is not running'}
        actions={
          <Button tone="primary" icon={Plus} busy={busy} disabled={!running || !ready} onClick={() => open({}, here)}>
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
              active={view.id === tiles.focused}
              inSight={tiles.shown.includes(view.id)}
              onShow={() => setTiles(show(tiles, view.id))}
              onClose={() => close(view.id)}
            />
          ))}
        </div>
        <IconButton icon={Plus} label="Open another terminal" disabled={!mayOpen} onClick={() => open({}, here)} />
        <Menu
          trigger={
            <button type="button" className="icon-button" aria-label="Other terminals" disabled={!mayOpen}>
              <ChevronDown className="icon" aria-hidden />
            </button>
          }
          entries={[
            { label: 'Shell as root', icon: UserCog, run: () => open({ user: '0' }, here) },
            { label: 'Toolbox shell (busybox)', icon: Wrench, run: () => open({ toolbox: true }, here) },
          ]}
        />
        <IconButton
          icon={Columns2}
          label="Split: another terminal beside this one"
          disabled={!mayOpen || inSight.length >= maxTiles}
          onClick={() => open({}, (id) => split(tiles, id))}
        />
        {inSight.length > 1 ? (
          <IconButton icon={Square} label="Show this terminal alone" onClick={() => setTiles(unsplit(tiles))} />
        ) : null}
        <OpenCommand disabled={!mayOpen} onOpen={(command) => open({ command }, here)} />
        <IconButton icon={Search} label="Search" shortcut="Ctrl+Shift+F" onClick={() => setSearching(!searching)} />
      </div>
      <div className="terminal-tiles">
        {inSight.map((view) => (
          <TerminalPane
            key={view.id}
            id={view.id}
            focused={view.id === tiles.focused}
            searching={searching && view.id === tiles.focused}
            onFocus={() => setTiles(show(tiles, view.id))}
            onSearch={setSearching}
            onReopen={() => {
              close(view.id);
              const isShell = view.command === 'sh' || view.command === 'bash';
              open(isShell ? {} : { command: splitWords(view.command).words }, here);
            }}
            onClose={() => close(view.id)}
          />
        ))}
      </div>
    </div>
  );
}

interface TerminalTabProps {
  readonly view: TerminalView;
  readonly name: string;
  /** It has the keys. */
  readonly active: boolean;
  readonly inSight: boolean;
  readonly onShow: () => void;
  readonly onClose: () => void;
}

function TerminalTab({ view, name, active, inSight, onShow, onClose }: TerminalTabProps) {
  return (
    <span className={`terminal-tab${active ? ' active' : inSight ? ' in-sight' : ''}`}>
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
/** What was last in sight of each container, for coming back to it. */
const lastTiles = new Map<string, Tiles>();

type Wanted = Pick<CallInput<'terminals.open'>, 'command' | 'user' | 'toolbox'>;

function useTabs(containerId: string, own: readonly TerminalView[]) {
  const [kept, setKept] = useState(() => lastTiles.get(containerId) ?? noTiles);
  const [busy, setBusy] = useState(false);
  const ids = own.map(({ id }) => id).join(' ');
  const tiles = keepOpen(kept, ids === '' ? [] : ids.split(' '));
  const [actions] = useState(() => {
    const setTiles = (next: Tiles) => {
      lastTiles.set(containerId, next);
      setKept(next);
    };
    const open = (wanted: Wanted, place: (id: string) => Tiles) => {
      setBusy(true);
      host
        .call('terminals.open', { containerId, ...firstSize, ...wanted })
        .then(({ id }) => setTiles(place(id)))
        .catch((error: unknown) => showError('Could not open a terminal', error))
        .finally(() => setBusy(false));
    };
    const close = (id: string) => {
      dropSession(id);
      host.call('terminals.close', { id }).catch((error: unknown) => showError('Could not close the terminal', error));
    };
    return { setTiles, open, close };
  });
  // A terminal that is gone at the host (closed in another window) takes its screen with it.
  useEffect(() => {
    const held = ids === '' ? [] : ids.split(' ');
    return () => {
      const now = useTerminals.getState().value ?? none;
      for (const id of held) if (!now.some((view) => view.id === id)) dropSession(id);
    };
  }, [ids]);
  return { tiles, busy, ...actions };
}
