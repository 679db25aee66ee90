import { useMemo, useState, type KeyboardEvent } from 'react';
import { Brush, Lock, Plus } from 'lucide-react';
import type { NetworkView } from '../../../src-main/contract/networks.ts';
import { Button } from '../../components/button.tsx';
import { createdColumn } from '../../components/created-column.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { Empty } from '../../components/empty.tsx';
import { MoreMenu } from '../../components/menu.tsx';
import { ScreenFrame } from '../../components/screen-frame.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { Segments } from '../../components/segments.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { Outside } from '../../components/text.tsx';
import { matchesWords } from '../../format/matches-words.ts';
import { formatCount } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { useNetworks } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { networkMenu } from './network-menu.tsx';
import { isRemovable } from './network-use.ts';
import { TopologyView } from './topology-view.tsx';

const none: readonly NetworkView[] = [];

export function NetworksScreen() {
  const value = useNetworks((state) => state.value);
  const all = value ?? none;
  const ready = useEngineReady();
  const [query, setQuery] = useState('');
  const [look, setLook] = useState<'list' | 'map'>('list');
  const rows = useMemo(() => filterNetworks(all, query), [all, query]);
  const unused = all.filter((network) => isRemovable(network) && network.members.length === 0).length;
  const connected = new Set(all.flatMap(({ members }) => members.map(({ id }) => id))).size;
  return (
    <ScreenFrame
      title="Networks"
      summary={
        value === undefined || all.length === 0
          ? ''
          : `${formatCount(all.length, 'network')}, ${formatCount(connected, 'container')}`
      }
      actions={
        <>
          <Button
            icon={Brush}
            disabled={!ready || unused === 0}
            onClick={() => openDialog({ kind: 'remove-networks' })}
          >
            Clean up
          </Button>
          <Button tone="primary" icon={Plus} disabled={!ready} onClick={() => openDialog({ kind: 'create-network' })}>
            Create network
          </Button>
        </>
      }
    >
      <div className="toolbar">
        <SearchField value={query} label="Filter by name or address" onChange={setQuery} slash />
        <Segments
          label="Look"
          value={look}
          onChange={setLook}
          options={[
            { value: 'list', label: 'List' },
            { value: 'map', label: 'Map' },
          ]}
        />
      </div>
      {look === 'map' && value !== undefined ? (
        <TopologyView networks={rows} />
      ) : (
        <DataTable
          label="Networks"
          rows={rows}
          columns={columns}
          keyOf={({ id }) => id}
          nameOf={({ name }) => name}
          onOpen={({ id }) => navigate({ screen: 'network', id })}
          onKey={pressKey}
          stale={!ready}
          empty={
            all.length === 0 ? (
              <SkeletonRows />
            ) : (
              <Empty
                title="No network matches"
                actions={<Button onClick={() => setQuery('')}>Show all networks</Button>}
              >
                <p>The filter leaves none of {formatCount(all.length, 'network')}.</p>
              </Empty>
            )
          }
        />
      )}
    </ScreenFrame>
  );
}

function filterNetworks(networks: readonly NetworkView[], query: string): readonly NetworkView[] {
  return networks.filter(({ name, id, subnets, members, driver }) =>
    matchesWords(
      query,
      name,
      id,
      driver,
      ...subnets.map(({ subnet }) => subnet),
      ...members.map((member) => `${member.name} ${member.ipAddress}`),
    ),
  );
}

const columns: readonly Column<NetworkView>[] = [
  {
    key: 'name',
    header: 'Name',
    width: 'minmax(9rem, 1.2fr)',
    rank: 'always',
    sortBy: (row) => row.name,
    render: (row) => (
      <>
        <Outside text={row.name} className="strong" />
        {row.builtIn ? <span className="chip">built in</span> : null}
        {row.internal ? (
          <span className="chip" title="Containers on it reach each other and nothing else">
            <Lock className="icon" aria-hidden /> internal
          </span>
        ) : null}
      </>
    ),
  },
  {
    key: 'driver',
    header: 'Driver',
    width: '5rem',
    rank: 'medium',
    sortBy: (row) => row.driver,
    render: (row) => <Outside text={row.driver} className="quiet" />,
  },
  {
    key: 'subnet',
    header: 'Subnet',
    width: '9rem',
    rank: 'always',
    sortBy: (row) => row.subnets[0]?.subnet ?? '\uffff',
    render: ({ subnets: [first, ...rest] }) => (
      <>
        <Outside text={first?.subnet ?? '–'} className="mono quiet" />
        {rest.length > 0 ? <span className="faint">+{rest.length}</span> : null}
      </>
    ),
  },
  {
    key: 'members',
    header: 'Containers',
    width: 'minmax(8rem, 1.6fr)',
    rank: 'always',
    sortBy: (row) => -row.members.length,
    render: (row) =>
      row.members.length === 0 ? (
        <span className="faint">–</span>
      ) : (
        <Outside text={row.members.map(({ name }) => name).join(', ')} className="quiet" />
      ),
  },
  createdColumn('large'),
  {
    key: 'actions',
    header: '(Actions)',
    width: '2.5rem',
    rank: 'always',
    align: 'end',
    render: (row) => <RowMenu network={row} />,
  },
];

function RowMenu({ network }: { network: NetworkView }) {
  const ready = useEngineReady();
  return (
    <div className="row-actions">
      <MoreMenu entries={networkMenu(network, ready)} inRow />
    </div>
  );
}

function pressKey({ id }: NetworkView, event: KeyboardEvent): void {
  if (event.key !== 'Delete' && event.key !== 'Backspace') return;
  openDialog({ kind: 'remove-networks', id });
  event.preventDefault();
}
