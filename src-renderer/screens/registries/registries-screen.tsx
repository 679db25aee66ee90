import type { KeyboardEvent } from 'react';
import { CircleAlert, CircleCheck, Copy, FolderOpen, LoaderCircle, Pencil, Plug, Plus, Trash2 } from 'lucide-react';
import { registryName, type RegistriesView, type RegistryLogin } from '../../../src-main/contract/registries.ts';
import { testLogin, useLoginTests } from '../../actions/registries.ts';
import { copyText } from '../../actions/links.ts';
import { Button } from '../../components/button.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { Empty } from '../../components/empty.tsx';
import { MoreMenu, type MenuEntry } from '../../components/menu.tsx';
import { Notice } from '../../components/notice.tsx';
import { ScreenFrame } from '../../components/screen-frame.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { Outside } from '../../components/text.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { formatCount } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { linkOf, navigate } from '../../stores/navigation.ts';
import { useRegistries } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { KeptIn } from './kept-in.tsx';

const none: readonly RegistryLogin[] = [];

/** Where images come from and go to: the logins that pulls, pushes and builds of this window carry. */
export function RegistriesScreen() {
  const value = useRegistries((state) => state.value);
  const ready = useEngineReady();
  const logins = value?.logins ?? none;
  const logIn = (
    <Button tone="primary" icon={Plus} disabled={!ready} onClick={() => openDialog({ kind: 'log-in' })}>
      Log in
    </Button>
  );
  const browse = (
    <Button icon={FolderOpen} disabled={!ready} onClick={() => openDialog({ kind: 'browse-registry' })}>
      Browse
    </Button>
  );
  return (
    <ScreenFrame
      title="Registries"
      summary={summaryOf(value)}
      actions={
        <>
          {browse}
          {logIn}
        </>
      }
    >
      {value?.logins.length === 0 ? (
        <Empty
          title="No logins yet"
          actions={
            <>
              {browse}
              {logIn}
            </>
          }
        >
          <p>
            Public images need none. A login lets this window pull private images, push your own, and pull more before a
            registry says that it is too much.
          </p>
          <KeptIn keeps={value.keeps} />
        </Empty>
      ) : (
        <>
          {logins.some(({ readable }) => !readable) ? <Unreadable /> : null}
          <FailedTests logins={logins} />
          <DataTable
            label="Logins"
            rows={logins}
            columns={columns}
            keyOf={({ server }) => server}
            nameOf={({ server }) => registryName(server)}
            onOpen={({ server }) => navigate({ screen: 'registry', id: server })}
            onKey={pressKey}
            stale={!ready}
            empty={<SkeletonRows />}
          />
          {value ? (
            <div className="registries-foot">
              <KeptIn keeps={value.keeps} />
            </div>
          ) : null}
        </>
      )}
    </ScreenFrame>
  );
}

function summaryOf(view: RegistriesView | undefined): string {
  if (view === undefined) return '';
  return view.logins.length === 0 ? 'No logins' : formatCount(view.logins.length, 'login');
}

function FailedTests({ logins }: { logins: readonly RegistryLogin[] }) {
  const tests = useLoginTests((state) => state.tests);
  const failed = logins.flatMap(({ server }) => {
    const test = tests[server];
    return test?.state === 'bad' ? [{ server, reason: test.reason }] : [];
  });
  if (failed.length === 0) return null;
  return (
    <Notice tone="bad">
      {failed.map(({ server, reason }) => (
        <p key={server}>{visibleText(reason, 400)}</p>
      ))}
    </Notice>
  );
}

function Unreadable() {
  return (
    <Notice tone="warn">
      <p>
        Some passwords are sealed by a keychain that cannot be reached from here, so they are not sent. Start Wherry as
        the desktop app, or log in again.
      </p>
    </Notice>
  );
}

const columns: readonly Column<RegistryLogin>[] = [
  {
    key: 'server',
    header: 'Registry',
    width: 'minmax(9rem, 1.4fr)',
    rank: 'always',
    sortBy: ({ server }) => registryName(server),
    render: ({ server }) => <Outside text={registryName(server)} className="strong" />,
  },
  {
    key: 'user',
    header: 'User',
    width: 'minmax(6rem, 1fr)',
    rank: 'always',
    sortBy: ({ username }) => username,
    render: ({ username }) =>
      username === '' ? <span className="faint">a token</span> : <Outside text={username} className="quiet" />,
  },
  {
    key: 'kept',
    header: 'Kept in',
    width: 'minmax(6.5rem, 0.7fr)',
    rank: 'medium',
    render: ({ place, readable }) => (
      <span className="quiet outside">
        {place === 'keychain' ? 'the keychain' : 'a file'}
        {readable ? '' : ', not readable here'}
      </span>
    ),
  },
  {
    key: 'test',
    header: '(Test)',
    width: 'minmax(8rem, 1fr)',
    rank: 'always',
    render: ({ server }) => <TestResult server={server} />,
  },
  {
    key: 'actions',
    header: '(Actions)',
    width: '7.5rem',
    rank: 'always',
    align: 'end',
    render: (login) => <RowActions login={login} />,
  },
];

function TestResult({ server }: { server: string }) {
  const test = useLoginTests((state) => state.tests[server]);
  const ready = useEngineReady();
  if (test === undefined) return ready ? null : <span className="faint">needs the engine</span>;
  const shown = {
    running: { icon: LoaderCircle, text: 'Asking…' },
    good: { icon: CircleCheck, text: 'Works' },
    bad: { icon: CircleAlert, text: 'Failed' },
  }[test.state];
  const Icon = shown.icon;
  return (
    <span className={`login-test ${test.state}`} role="status">
      <Icon className={test.state === 'running' ? 'icon spin' : 'icon'} aria-hidden />
      {shown.text}
    </span>
  );
}

function RowActions({ login }: { login: RegistryLogin }) {
  const ready = useEngineReady();
  const busy = useLoginTests((state) => state.tests[login.server]?.state === 'running');
  return (
    <div className="row-actions">
      <Button
        small
        icon={Plug}
        busy={busy}
        disabled={!ready}
        tabIndex={-1}
        aria-label={`Test ${registryName(login.server)}`}
        onClick={() => void testLogin(login.server)}
      >
        Test
      </Button>
      <MoreMenu entries={menuOf(login, ready)} inRow />
    </div>
  );
}

function menuOf({ server, username }: RegistryLogin, ready: boolean): readonly MenuEntry[] {
  return [
    { label: 'Copy link', icon: Copy, run: () => void copyText(linkOf('registries', server), 'the link') },
    {
      label: 'Log in anew…',
      icon: Pencil,
      disabled: !ready,
      run: () => openDialog({ kind: 'log-in', server, username }),
    },
    {
      label: 'Remove…',
      icon: Trash2,
      shortcut: 'Del',
      danger: true,
      separated: true,
      run: () => openDialog({ kind: 'remove-login', server }),
    },
  ];
}

function pressKey({ server }: RegistryLogin, event: KeyboardEvent): void {
  if (event.key === 't') void testLogin(server);
  else if (event.key === 'Delete' || event.key === 'Backspace') openDialog({ kind: 'remove-login', server });
  else return;
  event.preventDefault();
}
