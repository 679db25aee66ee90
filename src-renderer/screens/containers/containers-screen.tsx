import { useCallback, useEffect, useMemo, useState, type KeyboardEvent } from 'react';
import { Download, FileText, Play, RotateCw, Square, Trash2, X } from 'lucide-react';
import type { ContainerView } from '../../../src-main/contract/engine.ts';
import { actOnContainers, canDo, type ContainerVerb } from '../../actions/containers.ts';
import { Button } from '../../components/button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Empty } from '../../components/empty.tsx';
import { ScreenFrame } from '../../components/screen-frame.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { Segments } from '../../components/segments.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { formatCount } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { chooseLogs } from '../../stores/log-choice.ts';
import { navigate } from '../../stores/navigation.ts';
import { useContainers, useImages } from '../../stores/objects.ts';
import { useWatchStats } from '../../stores/stats.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { StarterPanel } from '../boot/starter-panel.tsx';
import { containerColumns } from './container-columns.tsx';
import { filterContainers, type StateFilter } from './filter-containers.ts';
import { pressProjectKey, projectOf, ProjectHead } from './project-group.tsx';

const none: readonly ContainerView[] = [];

export function ContainersScreen() {
  const value = useContainers((state) => state.value);
  const all = value ?? none;
  const ready = useEngineReady();
  const settled = useSettled(ready);
  const [query, setQuery] = useState('');
  const [state, setState] = useState<StateFilter>('all');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => filterContainers(all, query, state), [all, query, state]);
  const grouping = useProjects();
  const onVisible = useUsageInSight();
  const clear = () => {
    setQuery('');
    setState('all');
  };
  const chosen = useMemo(() => all.filter(({ id }) => selected.has(id)), [all, selected]);
  const running = all.filter((container) => container.state === 'running').length;
  return (
    <ScreenFrame
      title="Containers"
      summary={
        value === undefined || !settled ? '' : all.length === 0 ? 'None yet' : `${running} of ${all.length} running`
      }
      actions={
        <>
          <Button icon={Download} onClick={() => openDialog({ kind: 'pull' })} disabled={!ready}>
            Pull image
          </Button>
          <Button tone="primary" icon={Play} onClick={() => openDialog({ kind: 'run' })} disabled={!ready}>
            Run
          </Button>
        </>
      }
    >
      {value !== undefined && all.length === 0 && settled ? (
        <StarterPanel />
      ) : (
        <>
          {chosen.length > 0 ? (
            <BulkBar chosen={chosen} onClear={() => setSelected(new Set())} ready={ready} />
          ) : (
            <div className="toolbar">
              <SearchField value={query} label="Filter by name, image or port" onChange={setQuery} slash />
              <StateSegments all={all} value={state} onChange={setState} />
            </div>
          )}
          <DataTable
            label="Containers"
            rows={rows}
            columns={containerColumns}
            keyOf={(container) => container.id}
            nameOf={(container) => container.name}
            selection={{ keys: selected, onChange: setSelected }}
            onOpen={(container) => navigate({ screen: 'container', id: container.id, tab: 'logs' })}
            onKey={pressKey}
            grouping={grouping}
            onVisible={onVisible}
            stale={!ready}
            empty={
              all.length === 0 ? (
                <SkeletonRows />
              ) : (
                <Empty title="No container matches" actions={<Button onClick={clear}>Show all containers</Button>}>
                  <p>The filter leaves none of {formatCount(all.length, 'container')}.</p>
                </Empty>
              )
            }
          />
        </>
      )}
    </ScreenFrame>
  );
}

const collapsedKey = 'wherry.projects.collapsed';

/** Containers of a compose project stand together; which projects are closed is remembered. */
function useProjects() {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(
    () => new Set((localStorage.getItem(collapsedKey) ?? '').split('\n').filter(Boolean)),
  );
  return useMemo(() => {
    const onToggle = (project: string) => {
      const next = new Set(collapsed);
      if (!next.delete(project)) next.add(project);
      localStorage.setItem(collapsedKey, [...next].slice(-200).join('\n'));
      setCollapsed(next);
    };
    const renderHead = (project: string, containers: readonly ContainerView[]) => (
      <ProjectHead project={project} containers={containers} />
    );
    return { of: projectOf, collapsed, onToggle, renderHead, onKey: pressProjectKey };
  }, [collapsed]);
}

/** Only the running containers in sight are measured. */
function useUsageInSight(): (rows: readonly ContainerView[]) => void {
  const [ids, setIds] = useState('');
  useWatchStats(
    useMemo(() => ids.split(' ').filter(Boolean), [ids]),
    60,
  );
  return useCallback((rows: readonly ContainerView[]) => {
    setIds(rows.flatMap(({ id, state }) => (state === 'running' ? [id] : [])).join(' '));
  }, []);
}

const settleMs = 1500;

/**
 * Whether an empty list means that there is nothing: right after the engine became ready the host's lists may still be
 * on their way, and a welcome that flashes up before one's own containers is a fright.
 */
function useSettled(ready: boolean): boolean {
  const someImage = useImages((state) => (state.value?.length ?? 0) > 0);
  const [waited, setWaited] = useState(false);
  useEffect(() => {
    if (!ready) return;
    const timer = setTimeout(() => setWaited(true), settleMs);
    return () => clearTimeout(timer);
  }, [ready]);
  return someImage || waited;
}

interface StateSegmentsProps {
  readonly all: readonly ContainerView[];
  readonly value: StateFilter;
  readonly onChange: (value: StateFilter) => void;
}

function StateSegments({ all, value, onChange }: StateSegmentsProps) {
  const count = (state: StateFilter) => filterContainers(all, '', state).length;
  return (
    <Segments
      label="State"
      value={value}
      onChange={onChange}
      options={[
        { value: 'all', label: 'All', count: all.length },
        { value: 'active', label: 'Active', count: count('active') },
        { value: 'stopped', label: 'Stopped', count: count('stopped') },
      ]}
    />
  );
}

function BulkBar({
  chosen,
  onClear,
  ready,
}: {
  chosen: readonly ContainerView[];
  onClear: () => void;
  ready: boolean;
}) {
  const can = (verb: ContainerVerb) => ready && chosen.some(({ state }) => canDo(verb, state));
  return (
    <div className="toolbar bulk" role="toolbar" aria-label="Selected containers">
      <Button tone="ghost" icon={X} onClick={onClear}>
        {formatCount(chosen.length, 'container')} selected
      </Button>
      <span className="spacer" />
      <Button
        icon={FileText}
        onClick={() => {
          chooseLogs(chosen.map(({ id }) => id));
          navigate({ screen: 'logs' });
        }}
      >
        Logs
      </Button>
      <Button icon={Play} disabled={!can('start')} onClick={() => void actOnContainers('start', chosen)}>
        Start
      </Button>
      <Button icon={Square} disabled={!can('stop')} onClick={() => void actOnContainers('stop', chosen)}>
        Stop
      </Button>
      <Button icon={RotateCw} disabled={!can('restart')} onClick={() => void actOnContainers('restart', chosen)}>
        Restart
      </Button>
      <Button
        tone="danger"
        icon={Trash2}
        disabled={!can('remove')}
        onClick={() => openDialog({ kind: 'remove-containers', ids: chosen.map(({ id }) => id) })}
      >
        Remove
      </Button>
    </div>
  );
}

/** One key per action, as in lazydocker. */
function pressKey(container: ContainerView, event: KeyboardEvent): void {
  const { id, state } = container;
  switch (event.key) {
    case 's':
      void actOnContainers(canDo('stop', state) ? 'stop' : 'start', [container]);
      break;
    case 'r':
      void actOnContainers('restart', [container]);
      break;
    case 'p':
      void actOnContainers(state === 'paused' ? 'unpause' : 'pause', [container]);
      break;
    case 'l':
      navigate({ screen: 'container', id, tab: 'logs' });
      break;
    case 't':
      navigate({ screen: 'container', id, tab: 'terminal' });
      break;
    case 'i':
      navigate({ screen: 'container', id, tab: 'inspect' });
      break;
    case 'Delete':
    case 'Backspace':
      openDialog({ kind: 'remove-containers', ids: [id] });
      break;
    default:
      return;
  }
  event.preventDefault();
}
