import { useState } from 'react';
import { disconnect } from '../../actions/networks.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { useNetworks } from '../../stores/objects.ts';
import { isUp } from './network-use.ts';

export function DisconnectDialog({ id, containerId }: { id: string; containerId: string }) {
  const network = useNetworks((state) => state.value?.find((view) => view.id === id));
  const member = network?.members.find((one) => one.id === containerId);
  const [busy, setBusy] = useState(false);
  if (!network || !member) return null;
  const confirm = () => {
    setBusy(true);
    void disconnect(network, member).finally(dialogCloser());
  };
  return (
    <ConfirmDialog
      title={`Disconnect ${visibleText(member.name, 60)} from ${visibleText(network.name, 60)}?`}
      confirm="Disconnect"
      danger
      busy={busy}
      onConfirm={confirm}
      onClose={closeDialog}
    >
      <p>
        {isUp(member)
          ? 'It keeps running. Its connections over this network break, and the others no longer find it there.'
          : 'It will not join this network when it starts.'}
      </p>
    </ConfirmDialog>
  );
}
