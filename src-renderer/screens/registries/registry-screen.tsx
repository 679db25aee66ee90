import { useMemo, useState, type ReactNode } from 'react';
import { ArrowLeft, Download, RotateCw } from 'lucide-react';
import { registryName } from '../../../src-main/contract/registries.ts';
import { Button } from '../../components/button.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { Empty } from '../../components/empty.tsx';
import { Notice } from '../../components/notice.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { Outside } from '../../components/text.tsx';
import { matchesWords } from '../../format/matches-words.ts';
import { formatCount } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { useImages } from '../../stores/objects.ts';
import { startPull } from '../../stores/tasks.ts';
import { showError } from '../../stores/toasts.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { matchTags } from '../images/tag-matches.ts';
import { imageName } from '../images/use-tags.ts';
import { NameForm } from './name-form.tsx';
import { useNames, type FoundNames } from './use-names.ts';

/** What a registry has: its repositories, or the tags of one of them. */
export function RegistryScreen({ server, repository }: { server: string; repository: string | undefined }) {
  return repository === undefined ? <Repositories server={server} /> : <Tags server={server} repository={repository} />;
}

function Repositories({ server }: { server: string }) {
  const found = useNames(server, undefined);
  const open = (repository: string) => navigate({ screen: 'registry', id: server, repository });
  const columns: readonly Column<string>[] = [
    {
      key: 'name',
      header: 'Repository',
      width: 'minmax(10rem, 1fr)',
      rank: 'always',
      sortBy: (name) => name,
      render: (name) => <Outside text={name} className="strong" />,
    },
  ];
  return (
    <Page
      title={registryName(server)}
      back="Registries"
      onBack={() => navigate({ screen: 'registries' })}
      found={found}
    >
      <NameTable
        label="Repositories"
        noun="repository"
        nouns="repositories"
        found={found}
        columns={columns}
        onOpen={open}
        instead={
          <NameForm
            label="Repository"
            placeholder="team/app"
            action="Show its tags"
            check={checkRepository}
            onName={open}
          />
        }
      />
    </Page>
  );
}

function checkRepository(text: string): string | undefined {
  return /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/.test(text) ? undefined : 'A name like team/app, in small letters.';
}

function Tags({ server, repository }: { server: string; repository: string }) {
  const found = useNames(server, imageName(server, repository, 'latest'));
  const ready = useEngineReady();
  const images = useImages((state) => state.value);
  const here = useMemo(() => new Set(images?.flatMap(({ tags }) => tags)), [images]);
  const pull = (tag: string) => {
    const reference = imageName(server, repository, tag);
    startPull(reference)
      .then((taskId) => openDialog({ kind: 'pull', taskId }))
      .catch((error: unknown) => showError('Could not pull', error));
  };
  const columns: readonly Column<string>[] = [
    {
      key: 'name',
      header: 'Tag',
      width: 'minmax(10rem, 1fr)',
      rank: 'always',
      render: (tag) => (
        <>
          <Outside text={tag} className="strong" />
          {here.has(imageName(server, repository, tag)) ? <span className="chip">here</span> : null}
        </>
      ),
    },
    {
      key: 'actions',
      header: '(Actions)',
      width: '6rem',
      rank: 'always',
      align: 'end',
      render: (tag) => (
        <Button
          small
          icon={Download}
          disabled={!ready}
          tabIndex={-1}
          aria-label={`Pull ${tag}`}
          onClick={() => pull(tag)}
        >
          Pull
        </Button>
      ),
    },
  ];
  return (
    <Page
      title={repository}
      back={registryName(server)}
      onBack={() => navigate({ screen: 'registry', id: server })}
      found={found}
    >
      <NameTable label="Tags" noun="tag" nouns="tags" found={found} columns={columns} onOpen={pull} sort={matchTags} />
    </Page>
  );
}

interface PageProps {
  readonly title: string;
  readonly back: string;
  readonly onBack: () => void;
  readonly found: FoundNames;
  readonly children: ReactNode;
}

function Page({ title, back, onBack, found, children }: PageProps) {
  const ready = useEngineReady();
  return (
    <div className="screen">
      <header className="page-head">
        <button type="button" className="back" onClick={onBack}>
          <ArrowLeft className="icon" aria-hidden /> <Outside text={back} limit={80} />
        </button>
        <div className="page-title">
          <h1>
            <Outside text={title} />
          </h1>
          <div className="actions">
            <Button icon={RotateCw} busy={ready && found.asking} disabled={!ready} onClick={found.again}>
              Ask again
            </Button>
          </div>
        </div>
      </header>
      {children}
    </div>
  );
}

interface NameTableProps {
  readonly label: string;
  readonly noun: string;
  readonly nouns: string;
  readonly found: FoundNames;
  readonly columns: readonly Column<string>[];
  readonly onOpen: (name: string) => void;
  /** In an order of their own; without it the registry's. */
  readonly sort?: (names: readonly string[], query: string) => readonly string[];
  /** Another way on when the registry tells nothing. */
  readonly instead?: ReactNode;
}

function NameTable({ label, noun, nouns, found, columns, onOpen, sort, instead }: NameTableProps) {
  const [query, setQuery] = useState('');
  const ready = useEngineReady();
  const { names, problem } = found;
  const rows = useMemo(() => {
    const fitting = (names?.names ?? []).filter((name) => matchesWords(query, name));
    return sort ? sort(fitting, '') : fitting;
  }, [names, query, sort]);
  if (names === undefined && problem !== undefined) {
    return (
      <Empty title={`The ${nouns} cannot be listed`} actions={instead}>
        <p>{problem}</p>
      </Empty>
    );
  }
  if (names?.names.length === 0) {
    return (
      <Empty title={`No ${nouns}`} actions={instead}>
        <p>The registry says that there are none.</p>
      </Empty>
    );
  }
  return (
    <div className="screen-body">
      {problem === undefined ? null : (
        <Notice tone="bad">
          <p>{problem}</p>
        </Notice>
      )}
      <div className="toolbar">
        <SearchField value={query} label={`Filter ${nouns}`} onChange={setQuery} slash />
        <span className="quiet">
          {names === undefined
            ? ''
            : names.more
              ? `The first ${names.names.length}; there are more`
              : formatCount(names.names.length, noun, nouns)}
        </span>
      </div>
      <DataTable
        label={label}
        rows={rows}
        columns={columns}
        keyOf={(name) => name}
        nameOf={(name) => name}
        onOpen={onOpen}
        stale={!ready}
        empty={
          names === undefined ? (
            <SkeletonRows />
          ) : (
            <Empty title="Nothing matches" actions={<Button onClick={() => setQuery('')}>Show all</Button>}>
              <p>The filter leaves none of {formatCount(names.names.length, noun, nouns)}.</p>
            </Empty>
          )
        }
      />
    </div>
  );
}
