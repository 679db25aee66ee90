import { useEffect, useMemo, useState } from 'react';
import type { ContainerView } from '../../../src-main/contract/engine.ts';
import { saveText } from '../../actions/links.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { ScreenFrame } from '../../components/screen-frame.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { LogPanel } from '../../logs/log-panel.tsx';
import { MergedFeed } from '../../logs/merged-feed.ts';
import { chooseLogs, maxChosen, useLogChoice } from '../../stores/log-choice.ts';
import { useContainers } from '../../stores/objects.ts';
import { filterContainers } from '../containers/filter-containers.ts';

const none: readonly ContainerView[] = [];

/** The logs of any set of containers in one, by time, each in a colour of its own. */
export function LogsScreen() {
  const all = useContainers((state) => state.value) ?? none;
  const chosen = useChosen(all);
  const key = chosen.map(({ id }) => id).join(' ');
  return (
    <ScreenFrame title="Logs" summary={`${chosen.length} of ${all.length} containers`}>
      <div className="all-logs">
        <Picker all={all} chosen={chosen} />
        {chosen.length === 0 ? (
          <Empty title="No container chosen">
            <p>Choose on the left whose logs to read together.</p>
          </Empty>
        ) : (
          <Merged key={key} chosen={chosen} />
        )}
      </div>
    </ScreenFrame>
  );
}

/** In the order of the list, so that a container keeps its colour while others come and go behind it. */
function useChosen(all: readonly ContainerView[]): readonly ContainerView[] {
  const ids = useLogChoice((state) => state.ids);
  // What ran when the view was opened: a container that ends meanwhile still has its last words read.
  const [running, setRunning] = useState<readonly string[]>();
  useEffect(() => {
    if (running === undefined && all.length > 0) {
      setRunning(all.filter(({ state }) => state === 'running').map(({ id }) => id));
    }
  }, [all, running]);
  return useMemo(() => {
    const wanted = new Set((ids ?? running ?? []).slice(0, maxChosen));
    return all.filter(({ id }) => wanted.has(id));
  }, [all, ids, running]);
}

function Merged({ chosen }: { chosen: readonly ContainerView[] }) {
  // The key of this component is the set of containers: the feed lives as long as it stays.
  const [feed] = useState(() => new MergedFeed(chosen.map(({ id }) => id)));
  useEffect(() => {
    feed.open();
    return () => feed.close();
  }, [feed]);
  const names = chosen.map(({ name }) => name);
  const save = async () => {
    const { text } = await feed.log.text({ names, times: true });
    saveText([text, '\n'], 'containers.log');
  };
  return (
    <LogPanel
      source={feed}
      running={chosen.some(({ state }) => state === 'running')}
      origins={names}
      saveLabel="Save the lines kept here"
      onSave={save}
    />
  );
}

function Picker({ all, chosen }: { all: readonly ContainerView[]; chosen: readonly ContainerView[] }) {
  const [query, setQuery] = useState('');
  const ids = chosen.map(({ id }) => id);
  const full = ids.length >= maxChosen;
  const running = all.filter(({ state }) => state === 'running').map(({ id }) => id);
  const toggle = (id: string) => chooseLogs(ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]);
  return (
    <aside className="log-picker" aria-label="Containers whose logs are shown">
      <SearchField value={query} label="Filter the containers" onChange={setQuery} />
      <div className="row">
        <Button small onClick={() => chooseLogs(running)}>
          All running
        </Button>
        <Button small disabled={ids.length === 0} onClick={() => chooseLogs([])}>
          None
        </Button>
      </div>
      <ul className="scroll" tabIndex={0}>
        {filterContainers(all, query, 'all').map(({ id, name, state }) => {
          const place = ids.indexOf(id);
          return (
            <li key={id}>
              <label className={state === 'running' ? '' : 'quiet'} title={visibleText(name)}>
                <input
                  type="checkbox"
                  className="check"
                  checked={place !== -1}
                  disabled={place === -1 && full}
                  onChange={() => toggle(id)}
                />
                <span className={place === -1 ? 'origin-dot' : `origin-dot origin-${place % 8}`} aria-hidden />
                <bdi className="outside">{visibleText(name, 120)}</bdi>
              </label>
            </li>
          );
        })}
      </ul>
      {full ? <p className="hint">{maxChosen} at most at once.</p> : null}
    </aside>
  );
}
