import { useState } from 'react';
import { registryName } from '../../../src-main/contract/registries.ts';
import { removeLogin } from '../../actions/registries.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';

export function RemoveLoginDialog({ server }: { server: string }) {
  const [busy, setBusy] = useState(false);
  const confirm = () => {
    setBusy(true);
    void removeLogin(server).finally(dialogCloser());
  };
  return (
    <ConfirmDialog
      title={`Remove the login to ${visibleText(registryName(server), 80)}?`}
      confirm="Remove"
      danger
      busy={busy}
      onConfirm={confirm}
      onClose={closeDialog}
    >
      <p>Wherry forgets the password. Images that are here stay; the registry itself is not told.</p>
    </ConfirmDialog>
  );
}
