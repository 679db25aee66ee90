import { Play, RotateCw, Square } from 'lucide-react';
import type { ContainerView } from '../../../src-main/contract/engine.ts';
import { actOnContainers, canDo, useBusyContainers } from '../../actions/containers.ts';
import { IconButton } from '../../components/button.tsx';
import { containerMenu } from '../../components/container-menu.tsx';
import { ContainerStateMark, shortStatus } from '../../components/container-state.tsx';
import { createdColumn } from '../../components/created-column.tsx';
import type { Column } from '../../components/data-table.tsx';
import { MoreMenu } from '../../components/menu.tsx';
import { PortLinks } from '../../components/port-links.tsx';
import { Outside } from '../../components/text.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { CpuUsage, MemoryUsage } from './usage.tsx';

/** Running first, then by name within. */
const stateOrder = ['running', 'paused', 'restarting', 'removing', 'created', 'exited', 'dead'];

export const containerColumns: readonly Column<ContainerView>[] = [
  {
    key: 'state',
    header: 'State',
    width: '6.4rem',
    rank: 'always',
    sortBy: (row) => stateOrder.indexOf(row.state),
    render: (row) => <ContainerStateMark {...row} />,
  },
  {
    key: 'name',
    header: 'Name',
    width: 'minmax(7rem, 1.3fr)',
    rank: 'always',
    sortBy: (row) => row.name,
    render: (row) => <Outside text={row.name} className="strong" />,
  },
  {
    key: 'image',
    header: 'Image',
    width: 'minmax(7rem, 1.7fr)',
    rank: 'medium',
    sortBy: (row) => row.image,
    render: (row) => <ImageName image={row.image} />,
  },
  {
    key: 'ports',
    header: 'Ports',
    width: '8.2rem',
    rank: 'medium',
    render: (row) => <PortLinks ports={row.ports} />,
  },
  {
    key: 'cpu',
    header: 'CPU',
    width: '6.7rem',
    rank: 'large',
    render: (row) => <CpuUsage container={row} />,
  },
  {
    key: 'memory',
    header: 'Memory',
    width: '7.2rem',
    rank: 'large',
    render: (row) => <MemoryUsage container={row} />,
  },
  {
    key: 'status',
    header: 'Status',
    width: '6.6rem',
    rank: 'wide',
    render: (row) => <Outside text={shortStatus(row.status)} className="quiet" />,
  },
  createdColumn('wide', '7rem'),
  {
    key: 'actions',
    header: '(Actions)',
    width: '6rem',
    rank: 'always',
    align: 'end',
    render: (row) => <RowActions container={row} />,
  },
];

/** Without the registry's host: the room is for what tells images apart. All of it on hover. */
function ImageName({ image }: { image: string }) {
  const slash = image.indexOf('/');
  const hosted = slash > 0 && /^(?:[\w-]+(?:\.[\w-]+)+|localhost|[\w-]+(?=:))(?::\d+)?$/.test(image.slice(0, slash));
  return (
    <bdi className="outside quiet" title={visibleText(image)}>
      {visibleText(hosted ? image.slice(slash + 1) : image)}
    </bdi>
  );
}

function RowActions({ container }: { container: ContainerView }) {
  const ready = useEngineReady();
  const busy = useBusyContainers((state) => state.busy.has(container.id));
  const stops = canDo('stop', container.state);
  return (
    <div className="row-actions">
      <IconButton
        icon={RotateCw}
        label="Restart"
        shortcut="r"
        className="on-demand"
        plain
        tabIndex={-1}
        disabled={!ready || busy || !canDo('restart', container.state)}
        onClick={() => void actOnContainers('restart', [container])}
      />
      <IconButton
        icon={stops ? Square : Play}
        label={stops ? 'Stop' : 'Start'}
        shortcut="s"
        plain
        tabIndex={-1}
        disabled={!ready || busy || !(stops || canDo('start', container.state))}
        onClick={() => void actOnContainers(stops ? 'stop' : 'start', [container])}
      />
      <MoreMenu entries={containerMenu(container, ready)} inRow />
    </div>
  );
}
