import { useMemo, useState, type KeyboardEvent } from 'react';
import { Brush, Copy, Download, FileDown, FileUp, Hammer, Link, Play, Tag, Trash2, Upload } from 'lucide-react';
import type { ImageView } from '../../../src-main/contract/engine.ts';
import { loadImages, saveImage } from '../../actions/images.ts';
import { copyText } from '../../actions/links.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { createdColumn } from '../../components/created-column.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { DropZone } from '../../components/drop-zone.tsx';
import { Empty } from '../../components/empty.tsx';
import { FileButton } from '../../components/file-button.tsx';
import { MoreMenu, type MenuEntry } from '../../components/menu.tsx';
import { ScreenFrame } from '../../components/screen-frame.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { Outside } from '../../components/text.tsx';
import { matchesWords } from '../../format/matches-words.ts';
import { formatBytes, formatCount, shortId } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { linkOf, navigate } from '../../stores/navigation.ts';
import { useImages } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';

const none: readonly ImageView[] = [];
/** What docker save writes, and what is made of it. */
const archives = '.tar,.tgz,.gz,.zst,.xz,.bz2,application/x-tar';

export function imageName(image: ImageView): string {
  return image.tags[0] ?? shortId(image.id);
}

export function ImagesScreen() {
  const value = useImages((state) => state.value);
  const all = value ?? none;
  const ready = useEngineReady();
  const [query, setQuery] = useState('');
  const rows = useMemo(() => filterImages(all, query), [all, query]);
  const idle = all.some(({ usedBy }) => usedBy.length === 0);
  return (
    <ScreenFrame
      title="Images"
      summary={value === undefined ? '' : all.length === 0 ? 'None yet' : formatCount(all.length, 'image')}
      actions={
        <>
          <Button icon={Brush} disabled={!ready || !idle} onClick={() => openDialog({ kind: 'prune-images' })}>
            Clean up
          </Button>
          <FileButton label="Load" icon={FileUp} accept={archives} disabled={!ready} onFiles={loadImages} />
          <Button icon={Hammer} disabled={!ready} onClick={() => openDialog({ kind: 'build' })}>
            Build
          </Button>
          <Button tone="primary" icon={Download} disabled={!ready} onClick={() => openDialog({ kind: 'pull' })}>
            Pull image
          </Button>
        </>
      }
    >
      <DropZone label="Load the images in these archives" disabled={!ready} onFiles={loadImages}>
        {value !== undefined && all.length === 0 ? (
          <Empty
            title="No images yet"
            actions={
              <Button tone="primary" icon={Download} disabled={!ready} onClick={() => openDialog({ kind: 'pull' })}>
                Pull image
              </Button>
            }
          >
            <p>
              An image is what a container is made from. Pull one by its name, such as nginx or postgres:17; or drop an
              archive of images here.
            </p>
          </Empty>
        ) : (
          <>
            <div className="toolbar">
              <SearchField value={query} label="Filter by name or ID" onChange={setQuery} slash />
            </div>
            <DataTable
              label="Images"
              rows={rows}
              columns={columns}
              keyOf={({ id }) => id}
              nameOf={imageName}
              onOpen={({ id }) => navigate({ screen: 'image', id })}
              onKey={pressKey}
              stale={!ready}
              empty={
                value === undefined ? (
                  <SkeletonRows />
                ) : (
                  <Empty
                    title="No image matches"
                    actions={<Button onClick={() => setQuery('')}>Show all images</Button>}
                  >
                    <p>The filter leaves none of {formatCount(all.length, 'image')}.</p>
                  </Empty>
                )
              }
            />
          </>
        )}
      </DropZone>
    </ScreenFrame>
  );
}

function filterImages(images: readonly ImageView[], query: string): readonly ImageView[] {
  return images.filter(({ tags, id }) => matchesWords(query, ...tags, id));
}

const columns: readonly Column<ImageView>[] = [
  {
    key: 'name',
    header: 'Name',
    width: 'minmax(9rem, 2fr)',
    rank: 'always',
    sortBy: (row) => row.tags[0] ?? '~',
    render: (row) => <ImageTags image={row} />,
  },
  {
    key: 'id',
    header: 'ID',
    width: '7.5rem',
    rank: 'large',
    render: (row) => <span className="mono quiet">{shortId(row.id)}</span>,
  },
  {
    key: 'used',
    header: 'Used by',
    width: 'minmax(6rem, 1fr)',
    rank: 'medium',
    sortBy: (row) => -row.usedBy.length,
    render: (row) =>
      row.usedBy.length === 0 ? (
        <span className="faint">–</span>
      ) : (
        <Outside text={row.usedBy.join(', ')} className="quiet" />
      ),
  },
  createdColumn('medium'),
  {
    key: 'own',
    header: 'Its own',
    width: '5.5rem',
    rank: 'large',
    align: 'end',
    sortBy: (row) => -(row.sizeBytes - (row.sharedBytes ?? 0)),
    render: (row) => (
      <span className="quiet" title="What no other image shares">
        {row.sharedBytes === undefined ? '–' : formatBytes(row.sizeBytes - row.sharedBytes)}
      </span>
    ),
  },
  {
    key: 'size',
    header: 'Size',
    width: '5.5rem',
    rank: 'always',
    align: 'end',
    sortBy: (row) => -row.sizeBytes,
    render: (row) => formatBytes(row.sizeBytes),
  },
  {
    key: 'actions',
    header: '(Actions)',
    width: '4.5rem',
    rank: 'always',
    align: 'end',
    render: (row) => <RowActions image={row} />,
  },
];

function ImageTags({ image }: { image: ImageView }) {
  const [first, ...rest] = image.tags;
  if (first === undefined) return <span className="faint">untagged</span>;
  return (
    <>
      <Outside text={first} className="strong" />
      {rest.slice(0, 1).map((tag) => (
        <span key={tag} className="chip shrink">
          <Outside
            text={repositoryOf(tag) === repositoryOf(first) ? tag.slice(tag.lastIndexOf(':') + 1) : tag}
            limit={40}
          />
        </span>
      ))}
      {rest.length > 1 ? <span className="faint">+{rest.length - 1}</span> : null}
    </>
  );
}

/** Without the tag. */
function repositoryOf(tag: string): string {
  return tag.slice(0, tag.lastIndexOf(':'));
}

function RowActions({ image }: { image: ImageView }) {
  const ready = useEngineReady();
  const reference = image.tags[0] ?? image.id;
  return (
    <div className="row-actions">
      <IconButton
        icon={Play}
        label="Run"
        shortcut="Shift+R"
        plain
        tabIndex={-1}
        disabled={!ready}
        onClick={() => openDialog({ kind: 'run', image: reference })}
      />
      <MoreMenu entries={imageMenu(image, ready)} inRow />
    </div>
  );
}

export function imageMenu(image: ImageView, ready: boolean): readonly MenuEntry[] {
  const { id, tags } = image;
  const reference = tags[0] ?? id;
  return [
    {
      label: 'Pull again',
      icon: Download,
      disabled: !ready || tags.length === 0,
      run: () => openDialog({ kind: 'pull', reference }),
    },
    {
      label: 'Add a name…',
      icon: Tag,
      shortcut: 't',
      disabled: !ready,
      run: () => openDialog({ kind: 'tag-image', id }),
    },
    {
      label: 'Push…',
      icon: Upload,
      disabled: !ready || tags.length === 0,
      run: () => openDialog({ kind: 'push', tags }),
    },
    { label: 'Save to a file', icon: FileDown, disabled: !ready, run: () => saveImage(reference) },
    { label: 'Copy name', icon: Copy, separated: true, run: () => void copyText(reference, 'the image’s name') },
    { label: 'Copy ID', icon: Copy, run: () => void copyText(id, 'the image’s ID') },
    { label: 'Copy link', icon: Link, run: () => void copyText(linkOf('images', reference), 'the link') },
    {
      label: 'Remove…',
      icon: Trash2,
      shortcut: 'Del',
      danger: true,
      separated: true,
      disabled: !ready,
      run: () => openDialog({ kind: 'remove-image', id }),
    },
  ];
}

function pressKey(image: ImageView, event: KeyboardEvent): void {
  if (event.key === 't') openDialog({ kind: 'tag-image', id: image.id });
  else if (event.key === 'R') openDialog({ kind: 'run', image: image.tags[0] ?? image.id });
  else if (event.key === 'Delete' || event.key === 'Backspace') openDialog({ kind: 'remove-image', id: image.id });
  else return;
  event.preventDefault();
}
