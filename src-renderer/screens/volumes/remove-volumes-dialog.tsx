import { useState } from 'react';
import { removeVolumes } from '../../actions/volumes.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatCount } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { useVolumes } from '../../stores/objects.ts';
import { NameList } from '../../components/name-list.tsx';
import { sizeText, totalOf, useVolumeSizes } from './use-sizes.ts';
import { volumeTitle } from './volume-name.ts';

/** What goes, and what stays because a container needs it. */
export function RemoveVolumesDialog({ names }: { names: readonly string[] }) {
  const all = useVolumes((state) => state.value);
  const [busy, setBusy] = useState(false);
  const wanted = (all ?? []).filter(({ name }) => names.includes(name));
  const going = wanted.filter(({ usedBy }) => usedBy.length === 0);
  const used = wanted.filter(({ usedBy }) => usedBy.length > 0);
  const goingNames = going.map(({ name }) => name);
  const sizes = useVolumeSizes(goingNames);
  const total = totalOf(goingNames, sizes);
  const [only] = wanted;
  if (!only) return null;
  const confirm = () => {
    setBusy(true);
    void removeVolumes(goingNames).finally(dialogCloser());
  };
  const title = wanted.length === 1 ? visibleText(volumeTitle(only), 80) : formatCount(going.length, 'volume');
  const stay = used.map((volume) => `${volumeTitle(volume)} (${volume.usedBy.map(({ name }) => name).join(', ')})`);
  return (
    <ConfirmDialog
      title={going.length === 0 ? `${title} cannot be removed` : `Remove ${title}?`}
      confirm="Remove"
      danger
      busy={busy}
      disabled={going.length === 0}
      onConfirm={confirm}
      onClose={closeDialog}
    >
      {wanted.length > 1 ? (
        <NameList names={going.map(volumeTitle)} notes={goingNames.map((name) => sizeText(sizes.get(name)))} />
      ) : null}
      {going.length === 0 ? null : (
        <p>
          All files in {going.length === 1 ? 'it' : 'them'} are lost
          {total === undefined ? '' : `, ${formatBytes(total)}`}. This cannot be undone.
        </p>
      )}
      {used.length === 0 ? null : (
        <Notice tone="warn">
          <p>
            {used.length === 1 ? 'A container uses it' : 'Containers use these'}, running or not, so{' '}
            {used.length === 1 ? 'it stays' : 'they stay'}: <Outside text={stay.join(', ')} className="wrapped" />
          </p>
        </Notice>
      )}
    </ConfirmDialog>
  );
}
