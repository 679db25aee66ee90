import { useState } from 'react';
import type { NetworkView } from '../../../src-main/contract/networks.ts';
import { removeNetworks } from '../../actions/networks.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { NameList } from '../../components/name-list.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatCount } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { useNetworks } from '../../stores/objects.ts';
import { isRemovable, isUp } from './network-use.ts';

/** One network, or with no id all that nobody is on. */
export function RemoveNetworksDialog({ id }: { id?: string }) {
  const all = useNetworks((state) => state.value) ?? [];
  const [busy, setBusy] = useState(false);
  const only = all.find((network) => network.id === id);
  if (id !== undefined && !only) return null;
  const going = only ? [only].filter(isRemovable) : all.filter((one) => isRemovable(one) && one.members.length === 0);
  const confirm = () => {
    setBusy(true);
    void removeNetworks(going).finally(dialogCloser());
  };
  return (
    <ConfirmDialog
      title={only ? titleOf(only) : 'Clean up networks'}
      confirm={only || going.length === 0 ? 'Remove' : `Remove ${formatCount(going.length, 'network')}`}
      danger
      busy={busy}
      disabled={going.length === 0}
      onConfirm={confirm}
      onClose={closeDialog}
    >
      {only ? (
        <Consequence network={only} />
      ) : going.length === 0 ? (
        <p>Nothing to remove: a container is on every network but the engine’s own.</p>
      ) : (
        <>
          <NameList names={going.map(({ name }) => name)} />
          <p>No container is on these. Containers made for one of them later need it to be made again.</p>
        </>
      )}
    </ConfirmDialog>
  );
}

function titleOf(network: NetworkView): string {
  const name = visibleText(network.name, 80);
  return isRemovable(network) ? `Remove ${name}?` : `${name} cannot be removed`;
}

function Consequence({ network }: { network: NetworkView }) {
  const { builtIn, members } = network;
  if (builtIn) return <p>It is the engine’s own.</p>;
  const up = members.filter(isUp);
  const names = (up.length > 0 ? up : members).map(({ name }) => name).join(', ');
  if (up.length > 0) {
    return (
      <Notice tone="warn">
        <p>
          {formatCount(up.length, 'running container')} {up.length === 1 ? 'is' : 'are'} on it; disconnect or stop{' '}
          {up.length === 1 ? 'it' : 'them'} first: <Outside text={names} className="wrapped" />
        </p>
      </Notice>
    );
  }
  if (members.length === 0) return <p>No container is on it.</p>;
  return (
    <Notice tone="warn">
      <p>
        {members.length === 1 ? 'A stopped container wants' : 'Stopped containers want'} it and cannot start without:{' '}
        <Outside text={names} className="wrapped" />
      </p>
    </Notice>
  );
}
