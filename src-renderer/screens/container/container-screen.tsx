import { lazy, Suspense } from 'react';
import { ArrowLeft, Copy, Play, RotateCw, Square } from 'lucide-react';
import { Tabs } from 'radix-ui';
import type { ContainerView } from '../../../src-main/contract/engine.ts';
import { actOnContainers, canDo, useBusyContainers } from '../../actions/containers.ts';
import { copyText } from '../../actions/links.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { containerMenu } from '../../components/container-menu.tsx';
import { ContainerStateMark } from '../../components/container-state.tsx';
import { Empty } from '../../components/empty.tsx';
import { MoreMenu } from '../../components/menu.tsx';
import { PortLink } from '../../components/port-links.tsx';
import { Outside } from '../../components/text.tsx';
import { distinctPorts } from '../../../src-main/contract/ports.ts';
import { shortId } from '../../format/quantities.ts';
import { LogView } from '../../logs/log-view.tsx';
import { containerTabs, navigate, type ContainerTab } from '../../stores/navigation.ts';
import { useContainers, useTerminals } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { EditedNotice } from './edited-notice.tsx';
import { useDetails } from './use-details.ts';

const TerminalsView = lazy(() =>
  import('../../terminal/terminals-view.tsx').then((module) => ({ default: module.TerminalsView })),
);
const Overview = lazy(() => import('./overview.tsx').then((module) => ({ default: module.Overview })));
const Files = lazy(() => import('./files.tsx').then((module) => ({ default: module.Files })));
const Stats = lazy(() => import('./stats.tsx').then((module) => ({ default: module.Stats })));
const Processes = lazy(() => import('./processes.tsx').then((module) => ({ default: module.Processes })));
const History = lazy(() => import('./history.tsx').then((module) => ({ default: module.History })));
const Inspect = lazy(() => import('./inspect.tsx').then((module) => ({ default: module.Inspect })));

const tabNames: Readonly<Record<ContainerTab, string>> = {
  logs: 'Logs',
  terminal: 'Terminal',
  files: 'Files',
  stats: 'Stats',
  processes: 'Processes',
  history: 'History',
  overview: 'Overview',
  inspect: 'Inspect',
};

/** One container: what it says, a shell in it, and what it is. */
export function ContainerScreen({ id, tab }: { id: string; tab: ContainerTab }) {
  const container = useContainers((state) => state.value?.find((view) => view.id === id));
  const known = useContainers((state) => state.value !== undefined);
  const terminals = useTerminals((state) => state.value?.filter(({ containerId }) => containerId === id).length ?? 0);
  if (!container) {
    if (!known) return null;
    return (
      <Empty
        title="This container is gone"
        actions={<Button onClick={() => navigate({ screen: 'containers' })}>All containers</Button>}
      >
        <p>It was removed here or from somewhere else.</p>
      </Empty>
    );
  }
  return (
    <div className="screen">
      <ContainerHead container={container} />
      <EditedNotice container={container} />
      <Tabs.Root
        className="tabs"
        value={tab}
        onValueChange={(value) => navigate({ screen: 'container', id, tab: value as ContainerTab }, { replace: true })}
      >
        <Tabs.List className="tab-list" aria-label="Container">
          {containerTabs.map((name) => (
            <Tabs.Trigger key={name} className="tab" value={name}>
              {tabNames[name]}
              {name === 'terminal' && terminals > 0 ? <span className="count">{terminals}</span> : null}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {/* The log keeps its place and its search while other tabs are looked at. */}
        <Tabs.Content className="tab-panel" value="logs" forceMount hidden={tab !== 'logs'}>
          <LogView container={container} />
        </Tabs.Content>
        <Tabs.Content className="tab-panel" value="terminal">
          <Suspense fallback={null}>
            <TerminalsView container={container} />
          </Suspense>
        </Tabs.Content>
        <Tabs.Content className="tab-panel" value="files">
          <Suspense fallback={null}>
            <Files container={container} />
          </Suspense>
        </Tabs.Content>
        <Tabs.Content className="tab-panel" value="stats">
          <Suspense fallback={null}>
            <Stats container={container} />
          </Suspense>
        </Tabs.Content>
        <Tabs.Content className="tab-panel" value="processes">
          <Suspense fallback={null}>
            <Processes container={container} />
          </Suspense>
        </Tabs.Content>
        <Tabs.Content className="tab-panel" value="history">
          <Suspense fallback={null}>
            <History container={container} />
          </Suspense>
        </Tabs.Content>
        <DetailTabs container={container} />
      </Tabs.Root>
    </div>
  );
}

function DetailTabs({ container }: { container: ContainerView }) {
  const details = useDetails(container);
  return (
    <>
      <Tabs.Content className="tab-panel" value="overview">
        <Suspense fallback={null}>
          <Overview container={container} details={details} />
        </Suspense>
      </Tabs.Content>
      <Tabs.Content className="tab-panel" value="inspect">
        <Suspense fallback={null}>
          <Inspect details={details} />
        </Suspense>
      </Tabs.Content>
    </>
  );
}

function ContainerHead({ container }: { container: ContainerView }) {
  const { id, name, image, state, status } = container;
  const ready = useEngineReady();
  const busy = useBusyContainers((store) => store.busy.has(id));
  const stops = canDo('stop', state);
  return (
    <header className="page-head">
      <button type="button" className="back" onClick={() => navigate({ screen: 'containers' })}>
        <ArrowLeft className="icon" aria-hidden /> Containers
      </button>
      <div className="page-title">
        <h1>
          <Outside text={name} />
        </h1>
        <div className="actions">
          <Button
            icon={stops ? Square : Play}
            disabled={!ready || busy || !(stops || canDo('start', state))}
            onClick={() => void actOnContainers(stops ? 'stop' : 'start', [container])}
          >
            {stops ? 'Stop' : 'Start'}
          </Button>
          <Button
            icon={RotateCw}
            disabled={!ready || busy || !canDo('restart', state)}
            onClick={() => void actOnContainers('restart', [container])}
          >
            Restart
          </Button>
          <MoreMenu entries={containerMenu(container, ready)} />
        </div>
      </div>
      <div className="page-sub">
        <ContainerStateMark {...container} />
        <Outside text={status} />
        <Outside text={image} />
        {distinctPorts(container.ports)
          .filter(({ hostPort }) => hostPort !== undefined)
          .slice(0, 6)
          .map((port) => (
            <PortLink key={`${port.hostPort ?? ''}/${port.protocol}`} port={port} />
          ))}
        <span className="id">
          <span className="mono">{shortId(id)}</span>
          <IconButton icon={Copy} label="Copy ID" onClick={() => void copyText(id, 'the container’s ID')} />
        </span>
      </div>
    </header>
  );
}
