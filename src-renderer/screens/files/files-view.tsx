import { useMemo, useState, type KeyboardEvent } from 'react';
import { ChevronRight, CornerLeftUp, Download, FileUp, RotateCw } from 'lucide-react';
import type { ChangesView, FileChange, FileEntry, FilePlace } from '../../../src-main/contract/files.ts';
import { downloadFile, uploadFiles } from '../../actions/files.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { DropZone } from '../../components/drop-zone.tsx';
import { Empty } from '../../components/empty.tsx';
import { FileButton } from '../../components/file-button.tsx';
import { FileIcon } from '../../components/file-icon.tsx';
import { Notice } from '../../components/notice.tsx';
import type { Read } from '../../components/use-read.ts';
import { Segments } from '../../components/segments.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { Ago, Outside } from '../../components/text.tsx';
import { formatBytes, formatCount } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { Changes } from './changes.tsx';
import { crumbsOf, folderOf, pathIn } from './file-paths.ts';
import { useFolder } from './use-folder.ts';

/** Where one was, for as long as the window is open. */
const places = new Map<string, string>();

type View = 'browse' | 'changes';

interface FilesViewProps {
  /** Must stay the same object for as long as it means the same. */
  readonly place: FilePlace;
  /** Where there is something to compare with. */
  readonly changes?: Read<ChangesView>;
}

/** The folders of a container or a volume: looked at, taken out of and put into. */
export function FilesView({ place, changes }: FilesViewProps) {
  const key = JSON.stringify(place);
  const [path, setPath] = useState(places.get(key) ?? '/');
  const [view, setView] = useState<View>('browse');
  const ready = useEngineReady();
  const folder = useFolder(place, path);
  const go = (next: string) => {
    places.set(key, next);
    setPath(next);
    setView('browse');
  };
  const again = () => {
    folder.again();
    changes?.again();
  };
  const upload = (files: readonly globalThis.File[]) => void uploadFiles(place, path, files).then(again);
  const count = (changes?.value?.changes.length ?? 0) + (changes?.value?.more ?? 0);
  return (
    <DropZone label={`Upload to ${visibleText(path, 60)}`} disabled={!ready || view !== 'browse'} onFiles={upload}>
      <div className="toolbar">
        {changes === undefined ? null : (
          <Segments
            label="View"
            value={view}
            options={[
              { value: 'browse', label: 'All files' },
              { value: 'changes', label: 'Changed', ...(changes.value === undefined ? {} : { count }) },
            ]}
            onChange={setView}
          />
        )}
        {view === 'browse' ? <Crumbs path={path} onGo={go} /> : null}
        <span className="spacer" />
        {view === 'browse' ? (
          <FileButton label="Upload" icon={FileUp} small disabled={!ready} onFiles={upload} />
        ) : null}
        <IconButton icon={RotateCw} label="Read again" disabled={!ready} onClick={again} />
      </div>
      {view === 'browse' || changes === undefined ? (
        <Browser place={place} path={path} folder={folder} changes={changes?.value} onGo={go} onChanged={again} />
      ) : (
        <Changes {...changes} onGo={go} />
      )}
    </DropZone>
  );
}

function Crumbs({ path, onGo }: { path: string; onGo: (path: string) => void }) {
  const crumbs = crumbsOf(path);
  return (
    <nav className="crumbs" aria-label="Folder">
      {crumbs.map((crumb, index) => (
        <span key={crumb.path}>
          {index > 1 ? <ChevronRight className="icon faint" aria-hidden /> : null}
          <button
            type="button"
            aria-current={index === crumbs.length - 1 ? 'location' : undefined}
            onClick={() => onGo(crumb.path)}
          >
            <Outside text={crumb.name} limit={60} />
          </button>
        </span>
      ))}
    </nav>
  );
}

interface BrowserProps {
  readonly place: FilePlace;
  readonly path: string;
  readonly folder: ReturnType<typeof useFolder>;
  readonly changes: ChangesView | undefined;
  readonly onGo: (path: string) => void;
  readonly onChanged: () => void;
}

function Browser({ place, path, folder: { value, problem }, changes, onGo, onChanged }: BrowserProps) {
  const ready = useEngineReady();
  const changed = useMemo(() => changesIn(path, changes), [path, changes]);
  const columns = useMemo(() => columnsOf(place, path, changed), [place, path, changed]);
  if (problem !== undefined) {
    return (
      <Empty
        title="This folder cannot be shown"
        actions={path === '/' ? null : <Button onClick={() => onGo(folderOf(path))}>Go up</Button>}
      >
        <p className="wrapped">{problem}</p>
      </Empty>
    );
  }
  const open = (entry: FileEntry) => {
    if (entry.kind === 'folder') onGo(pathIn(path, entry.name));
    else openDialog({ kind: 'view-file', place, path: pathIn(path, entry.name), onFolder: onGo, onSaved: onChanged });
  };
  const press = (entry: FileEntry, event: KeyboardEvent) => {
    if (event.key === 'Backspace' || event.key === 'ArrowLeft') onGo(folderOf(path));
    else if (event.key === 'ArrowRight') open(entry);
    else if (event.key === 'd') download(place, path, entry);
    else return;
    event.preventDefault();
  };
  return (
    <>
      {value?.more === true ? (
        <div className="log-notice">
          <Notice tone="info">
            <p>The folder holds more than the {formatCount(value.entries.length, 'entry', 'entries')} shown.</p>
          </Notice>
        </div>
      ) : null}
      <DataTable
        label="Files"
        rows={value?.entries ?? none}
        columns={columns}
        keyOf={({ name }) => name}
        nameOf={({ name }) => name}
        onOpen={open}
        onKey={press}
        stale={!ready}
        empty={
          value === undefined ? (
            <SkeletonRows />
          ) : (
            <Empty
              title="An empty folder"
              actions={
                path === '/' ? null : (
                  <Button icon={CornerLeftUp} onClick={() => onGo(folderOf(path))}>
                    Go up
                  </Button>
                )
              }
            >
              <p>Drop files here to put them into it.</p>
            </Empty>
          )
        }
      />
    </>
  );
}

const none: readonly FileEntry[] = [];

/** Of each name in this folder; a folder is changed by what is in it. */
function changesIn(folder: string, view: ChangesView | undefined): ReadonlyMap<string, FileChange> {
  const prefix = folder === '/' ? '/' : `${folder}/`;
  const found = new Map<string, FileChange>();
  for (const { path, kind } of view?.changes ?? []) {
    if (path.startsWith(prefix) && !path.slice(prefix.length).includes('/')) found.set(path.slice(prefix.length), kind);
  }
  return found;
}

function download(place: FilePlace, folder: string, { name, kind }: FileEntry): void {
  downloadFile(place, pathIn(folder, name), kind === 'file' ? 'file' : 'archive');
}

function columnsOf(
  place: FilePlace,
  folder: string,
  changed: ReadonlyMap<string, FileChange>,
): readonly Column<FileEntry>[] {
  return [
    {
      key: 'name',
      header: 'Name',
      width: 'minmax(9rem, 2fr)',
      rank: 'always',
      sortBy: ({ kind, name }) => `${kind === 'folder' ? 0 : 1}${name}`,
      render: (entry) => <FileName entry={entry} change={changed.get(entry.name)} />,
    },
    {
      key: 'permissions',
      header: 'Rights',
      width: '7rem',
      rank: 'large',
      render: ({ permissions }) => <span className="mono quiet">{permissions}</span>,
    },
    {
      key: 'modified',
      header: 'Changed',
      width: '8rem',
      rank: 'medium',
      sortBy: ({ modifiedAtMs }) => -modifiedAtMs,
      render: ({ modifiedAtMs }) => (
        <span className="quiet outside">
          <Ago timeMs={modifiedAtMs} />
        </span>
      ),
    },
    {
      key: 'size',
      header: 'Size',
      width: '5.5rem',
      rank: 'always',
      align: 'end',
      sortBy: ({ sizeBytes }) => -sizeBytes,
      render: ({ kind, sizeBytes }) => (kind === 'file' ? formatBytes(sizeBytes) : <span className="faint">–</span>),
    },
    {
      key: 'actions',
      header: '(Actions)',
      width: '3rem',
      rank: 'always',
      align: 'end',
      render: (entry) => (
        <div className="row-actions">
          <IconButton
            icon={Download}
            label={entry.kind === 'file' ? 'Download' : 'Download as an archive'}
            shortcut="d"
            plain
            tabIndex={-1}
            onClick={() => download(place, folder, entry)}
          />
        </div>
      ),
    },
  ];
}

function FileName({ entry: { name, kind, target }, change }: { entry: FileEntry; change: FileChange | undefined }) {
  return (
    <>
      <FileIcon kind={kind} />
      <Outside text={name} className={kind === 'folder' ? 'strong' : ''} />
      {target === '' ? null : <Outside text={`→ ${target}`} className="faint" />}
      {change === undefined ? null : <span className={`chip ${change}`}>{change}</span>}
    </>
  );
}
