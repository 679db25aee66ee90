import { useMemo, useState, type KeyboardEvent } from 'react';
import { Brush, Copy, CopyPlus, FileDown, FileUp, Link, Plus, Trash2, X } from 'lucide-react';
import type { VolumeView } from '../../../src-main/contract/volumes.ts';
import { copyText } from '../../actions/links.ts';
import { exportVolume } from '../../actions/volumes.ts';
import { Button } from '../../components/button.tsx';
import { createdColumn } from '../../components/created-column.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { Empty } from '../../components/empty.tsx';
import { FileButton } from '../../components/file-button.tsx';
import { MoreMenu, type MenuEntry } from '../../components/menu.tsx';
import { ScreenFrame } from '../../components/screen-frame.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { Segments } from '../../components/segments.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { Outside } from '../../components/text.tsx';
import { matchesWords } from '../../format/matches-words.ts';
import { formatBytes, formatCount } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { linkOf, navigate } from '../../stores/navigation.ts';
import { useVolumes } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { useVolumeSizes } from './use-sizes.ts';
import { volumeTitle } from './volume-name.ts';

const none: readonly VolumeView[] = [];

type UseFilter = 'all' | 'used' | 'unused';

export function VolumesScreen() {
  const value = useVolumes((state) => state.value);
  const all = value ?? none;
  const ready = useEngineReady();
  const [query, setQuery] = useState('');
  const [use, setUse] = useState<UseFilter>('all');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => filterVolumes(all, query, use), [all, query, use]);
  const chosen = useMemo(() => all.filter(({ name }) => selected.has(name)), [all, selected]);
  const unused = all.filter(({ usedBy }) => usedBy.length === 0).length;
  const sizes = useVolumeSizes(useMemo(() => all.map(({ name }) => name), [all]));
  const columns = useMemo(() => columnsWith(sizes), [sizes]);
  const clear = () => {
    setQuery('');
    setUse('all');
  };
  return (
    <ScreenFrame
      title="Volumes"
      summary={
        value === undefined ? '' : all.length === 0 ? 'None yet' : `${all.length - unused} of ${all.length} in use`
      }
      actions={
        <>
          <Button icon={Brush} disabled={!ready || unused === 0} onClick={() => openDialog({ kind: 'prune-volumes' })}>
            Clean up
          </Button>
          <FileButton label="Import" icon={FileUp} disabled={!ready} onFiles={importFirst} />
          <Button tone="primary" icon={Plus} disabled={!ready} onClick={() => openDialog({ kind: 'create-volume' })}>
            Create volume
          </Button>
        </>
      }
    >
      {value !== undefined && all.length === 0 ? (
        <NoVolumes ready={ready} />
      ) : (
        <>
          {chosen.length > 0 ? (
            <BulkBar chosen={chosen} ready={ready} onClear={() => setSelected(new Set())} />
          ) : (
            <div className="toolbar">
              <SearchField value={query} label="Filter by name, user or label" onChange={setQuery} slash />
              <Segments
                label="Use"
                value={use}
                onChange={setUse}
                options={[
                  { value: 'all', label: 'All', count: all.length },
                  { value: 'used', label: 'In use', count: all.length - unused },
                  { value: 'unused', label: 'Unused', count: unused },
                ]}
              />
            </div>
          )}
          <DataTable
            label="Volumes"
            rows={rows}
            columns={columns}
            keyOf={({ name }) => name}
            nameOf={volumeTitle}
            selection={{ keys: selected, onChange: setSelected }}
            onOpen={({ name }) => navigate({ screen: 'volume', id: name })}
            onKey={pressKey}
            stale={!ready}
            empty={
              value === undefined ? (
                <SkeletonRows />
              ) : (
                <Empty title="No volume matches" actions={<Button onClick={clear}>Show all volumes</Button>}>
                  <p>The filter leaves none of {formatCount(all.length, 'volume')}.</p>
                </Empty>
              )
            }
          />
        </>
      )}
    </ScreenFrame>
  );
}

function NoVolumes({ ready }: { ready: boolean }) {
  return (
    <Empty
      title="No volumes yet"
      actions={
        <Button tone="primary" icon={Plus} disabled={!ready} onClick={() => openDialog({ kind: 'create-volume' })}>
          Create volume
        </Button>
      }
    >
      <p>A volume keeps a container’s data when the container goes, and may be shared between several.</p>
    </Empty>
  );
}

function filterVolumes(volumes: readonly VolumeView[], query: string, use: UseFilter): readonly VolumeView[] {
  return volumes.filter(
    ({ name, labels, usedBy }) =>
      (use === 'all' || usedBy.length > 0 === (use === 'used')) &&
      matchesWords(query, name, ...usedBy.map((user) => user.name), ...Object.entries(labels).flat()),
  );
}

function importFirst([file]: readonly File[]): void {
  if (file) openDialog({ kind: 'import-volume', file });
}

const columnsWith = (sizes: ReadonlyMap<string, number>): readonly Column<VolumeView>[] => [
  {
    key: 'name',
    header: 'Name',
    width: 'minmax(9rem, 1.6fr)',
    rank: 'always',
    // Those without a name last.
    sortBy: (row) => (row.anonymous ? '\uffff' : '') + row.name,
    render: (row) => (
      <>
        <Outside text={volumeTitle(row)} className={row.anonymous ? 'mono quiet' : 'strong'} />
        {row.anonymous ? <span className="chip">unnamed</span> : null}
      </>
    ),
  },
  {
    key: 'used',
    header: 'Used by',
    width: 'minmax(7rem, 1.4fr)',
    rank: 'always',
    sortBy: (row) => -row.usedBy.length,
    render: (row) =>
      row.usedBy.length === 0 ? (
        <span className="faint">–</span>
      ) : (
        <Outside text={row.usedBy.map(({ name }) => name).join(', ')} className="quiet" />
      ),
  },
  {
    key: 'size',
    header: 'Size',
    width: '5.5rem',
    rank: 'medium',
    align: 'end',
    sortBy: ({ name }) => -(sizes.get(name) ?? -1),
    render: ({ name }) => {
      const size = sizes.get(name);
      return size === undefined ? <span className="faint">…</span> : formatBytes(size);
    },
  },
  {
    key: 'project',
    header: 'Project',
    width: 'minmax(5rem, 0.7fr)',
    rank: 'large',
    sortBy: (row) => row.labels['com.docker.compose.project'] ?? '\uffff',
    render: (row) => <Outside text={row.labels['com.docker.compose.project'] ?? '–'} className="quiet" />,
  },
  createdColumn('medium'),
  {
    key: 'actions',
    header: '(Actions)',
    width: '2.5rem',
    rank: 'always',
    align: 'end',
    render: (row) => <RowMenu volume={row} />,
  },
];

function RowMenu({ volume }: { volume: VolumeView }) {
  const ready = useEngineReady();
  return (
    <div className="row-actions">
      <MoreMenu entries={volumeMenu(volume, ready)} inRow />
    </div>
  );
}

export function volumeMenu({ name, usedBy }: VolumeView, ready: boolean): readonly MenuEntry[] {
  return [
    { label: 'Copy name', icon: Copy, run: () => void copyText(name, 'the volume’s name') },
    { label: 'Clone…', icon: CopyPlus, disabled: !ready, run: () => openDialog({ kind: 'clone-volume', name }) },
    { label: 'Export to a file', icon: FileDown, disabled: !ready, run: () => exportVolume(name) },
    { label: 'Copy link', icon: Link, run: () => void copyText(linkOf('volumes', name), 'the link') },
    {
      label: 'Remove…',
      icon: Trash2,
      shortcut: 'Del',
      danger: true,
      separated: true,
      disabled: !ready || usedBy.length > 0,
      run: () => openDialog({ kind: 'remove-volumes', names: [name] }),
    },
  ];
}

function BulkBar({ chosen, ready, onClear }: { chosen: readonly VolumeView[]; ready: boolean; onClear: () => void }) {
  return (
    <div className="toolbar bulk" role="toolbar" aria-label="Selected volumes">
      <Button tone="ghost" icon={X} onClick={onClear}>
        {formatCount(chosen.length, 'volume')} selected
      </Button>
      <span className="spacer" />
      <Button
        tone="danger"
        icon={Trash2}
        disabled={!ready}
        onClick={() => openDialog({ kind: 'remove-volumes', names: chosen.map(({ name }) => name) })}
      >
        Remove
      </Button>
    </div>
  );
}

function pressKey(volume: VolumeView, event: KeyboardEvent): void {
  if (event.key !== 'Delete' && event.key !== 'Backspace') return;
  openDialog({ kind: 'remove-volumes', names: [volume.name] });
  event.preventDefault();
}
