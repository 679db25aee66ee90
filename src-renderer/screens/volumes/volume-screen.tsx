import { useMemo } from 'react';
import { CopyPlus, Trash2 } from 'lucide-react';
import type { VolumeUser, VolumeView } from '../../../src-main/contract/volumes.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { ContainerStateMark } from '../../components/container-state.tsx';
import { Empty } from '../../components/empty.tsx';
import { Facts } from '../../components/facts.tsx';
import { MoreMenu } from '../../components/menu.tsx';
import { ObjectPage } from '../../components/object-page.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatTime } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { useVolumes } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { FilesView } from '../files/files-view.tsx';
import { useVolumeSizes } from './use-sizes.ts';
import { volumeTitle } from './volume-name.ts';
import { volumeMenu } from './volumes-screen.tsx';

/** One volume: where it is, and who uses it. */
export function VolumeScreen({ name }: { name: string }) {
  const volume = useVolumes((state) => state.value?.find((view) => view.name === name));
  const known = useVolumes((state) => state.value !== undefined);
  const ready = useEngineReady();
  const place = useMemo(() => ({ volume: name }), [name]);
  if (!volume) {
    if (!known) return null;
    return (
      <Empty
        title="This volume is gone"
        actions={<Button onClick={() => navigate({ screen: 'volumes' })}>All volumes</Button>}
      >
        <p>It was removed here or elsewhere.</p>
      </Empty>
    );
  }
  return (
    <ObjectPage
      place="volumes"
      title={volumeTitle(volume)}
      note={volume.usedBy.length === 0 ? 'Unused' : 'In use'}
      tabs={[{ value: 'files', label: 'Files', content: <FilesView place={place} /> }]}
      inspect={(signal) => host.call('volumes.inspect', { name }, signal).then(({ raw }) => raw)}
      actions={
        <>
          <Button icon={CopyPlus} disabled={!ready} onClick={() => openDialog({ kind: 'clone-volume', name })}>
            Clone
          </Button>
          <Button
            icon={Trash2}
            disabled={!ready || volume.usedBy.length > 0}
            onClick={() => openDialog({ kind: 'remove-volumes', names: [name] })}
          >
            Remove
          </Button>
          <MoreMenu entries={volumeMenu(volume, ready)} />
        </>
      }
    >
      <About volume={volume} />
      <Users users={volume.usedBy} />
    </ObjectPage>
  );
}

function About({ volume }: { volume: VolumeView }) {
  const size = useVolumeSizes([volume.name]).get(volume.name);
  const labels = Object.entries(volume.labels).map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  return (
    <section>
      <h2>About</h2>
      <Facts
        facts={[
          { name: 'Name', value: volume.name, mono: true },
          { name: 'Size', value: size === undefined ? '…' : formatBytes(size) },
          { name: 'Driver', value: volume.driver },
          { name: 'Created', value: formatTime(volume.createdAtMs) },
          { name: 'Folder in the engine', value: volume.mountpoint, mono: true },
          { name: 'Labels', value: labels.join('\n'), mono: true },
        ]}
      />
    </section>
  );
}

function Users({ users }: { users: readonly VolumeUser[] }) {
  return (
    <section>
      <h2>Used by</h2>
      {users.length === 0 ? (
        <p className="quiet">No container uses it. It stays until it is removed.</p>
      ) : (
        <ul className="links">
          {users.map(({ id, name, state, path, readOnly }) => (
            <li key={`${id}:${path}`}>
              <button type="button" onClick={() => navigate({ screen: 'container', id, tab: 'overview' })}>
                <Outside text={name} className="strong" />
                <ContainerStateMark id={id} state={state} status="" />
                <Outside text={path} className="mono" />
                <span className="quiet">{readOnly ? 'read only' : 'read and write'}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
