import type { LayerHit, LayerHitsView, LayersView, WastedFile } from '../../../src-main/contract/layers.ts';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { Empty } from '../../components/empty.tsx';
import { FileIcon } from '../../components/file-icon.tsx';
import { Notice } from '../../components/notice.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatCount } from '../../format/quantities.ts';
import { useEngineReady } from '../../stores/vm.ts';

type Go = (layer: number, path: string) => void;

const wastedColumns: readonly Column<WastedFile>[] = [
  {
    key: 'path',
    header: 'File',
    width: 'minmax(6.5rem, 1fr)',
    rank: 'always',
    sortBy: ({ path }) => path,
    render: ({ path }) => <Outside text={path} className="mono" limit={1000} />,
  },
  {
    key: 'why',
    header: 'Hidden',
    width: '10.4rem',
    rank: 'always',
    sortBy: ({ by }) => by,
    render: ({ layer, by, removed }) => (
      <span className="quiet outside">{`layer ${layer + 1}, ${removed ? 'removed' : 'replaced'} in ${by + 1}`}</span>
    ),
  },
  {
    key: 'size',
    header: 'Size',
    width: '4.6rem',
    rank: 'always',
    align: 'end',
    sortBy: ({ sizeBytes }) => -sizeBytes,
    render: ({ sizeBytes }) => formatBytes(sizeBytes),
  },
];

/** Files that are kept and sent with the image, and never seen in it. */
export function WastedFiles({ wasted, onGo }: { wasted: LayersView['wasted'] | undefined; onGo: Go }) {
  const ready = useEngineReady();
  const { files = 0, sizeBytes = 0, largest = [] } = wasted ?? {};
  return (
    <>
      {files === 0 ? null : (
        <p className="layer-note quiet">
          {`${formatBytes(sizeBytes)} in ${formatCount(files, 'file')} that a later layer replaces or removes. `}
          Removing a file in the instruction that makes it gives its space back.
          {files > largest.length && largest.length > 0 ? ` The ${largest.length} largest:` : ''}
        </p>
      )}
      <DataTable
        label="Wasted space"
        rows={largest}
        columns={wastedColumns}
        keyOf={({ path, layer }) => `${layer}:${path}`}
        nameOf={({ path }) => path}
        onOpen={({ path, layer }) => onGo(layer, path)}
        stale={!ready}
        empty={
          wasted === undefined ? (
            <SkeletonRows />
          ) : (
            <Empty title="Nothing is wasted">
              <p>No layer replaces or removes what one below it brings.</p>
            </Empty>
          )
        }
      />
    </>
  );
}

const hitColumns: readonly Column<LayerHit>[] = [
  {
    key: 'path',
    header: 'File',
    width: 'minmax(9rem, 1fr)',
    rank: 'always',
    sortBy: ({ path }) => path,
    render: ({ path, kind }) => (
      <>
        <FileIcon kind={kind} />
        <Outside text={path} className="mono" limit={1000} />
      </>
    ),
  },
  {
    key: 'change',
    header: 'Change',
    width: '6rem',
    rank: 'always',
    sortBy: ({ change }) => change,
    render: ({ change }) => <span className={`chip ${change}`}>{change}</span>,
  },
  {
    key: 'layer',
    header: 'Layer',
    width: '4.2rem',
    rank: 'always',
    align: 'end',
    sortBy: ({ layer }) => layer,
    render: ({ layer }) => layer + 1,
  },
  {
    key: 'size',
    header: 'Size',
    width: '5.5rem',
    rank: 'medium',
    align: 'end',
    sortBy: ({ sizeBytes }) => -sizeBytes,
    render: ({ kind, sizeBytes }) => (kind === 'file' ? formatBytes(sizeBytes) : <span className="faint">–</span>),
  },
];

interface LayerSearchProps {
  readonly found: { readonly value?: LayerHitsView; readonly problem?: string };
  readonly onGo: Go;
}

/** Which layers touch a file, and how. */
export function LayerSearch({ found: { value, problem }, onGo }: LayerSearchProps) {
  const ready = useEngineReady();
  return (
    <>
      {problem === undefined ? null : (
        <div className="log-notice">
          <Notice tone="bad">
            <p className="wrapped">{problem}</p>
          </Notice>
        </div>
      )}
      {value?.more === true ? (
        <p className="layer-note quiet">{`Only the first ${value.hits.length} are shown: look for more of the name.`}</p>
      ) : null}
      <DataTable
        label="Found in the layers"
        rows={value?.hits ?? []}
        columns={hitColumns}
        keyOf={({ path, layer }) => `${layer}:${path}`}
        nameOf={({ path }) => path}
        onOpen={({ path, layer }) => onGo(layer, path)}
        stale={!ready}
        empty={
          problem !== undefined ? null : value === undefined ? (
            <SkeletonRows />
          ) : (
            <Empty title="No file matches">
              <p>No layer has a name like that. With a slash, paths are looked through.</p>
            </Empty>
          )
        }
      />
    </>
  );
}
