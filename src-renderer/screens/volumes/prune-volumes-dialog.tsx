import { useState } from 'react';
import { removeVolumes } from '../../actions/volumes.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { NameList } from '../../components/name-list.tsx';
import { Segments } from '../../components/segments.tsx';
import { formatBytes, formatCount } from '../../format/quantities.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { useVolumes } from '../../stores/objects.ts';
import { sizeText, totalOf, useVolumeSizes } from './use-sizes.ts';
import { volumeTitle } from './volume-name.ts';

/** Shows exactly what goes; a volume that comes into use meanwhile is refused by the engine and stays. */
export function PruneVolumesDialog() {
  const all = useVolumes((state) => state.value) ?? [];
  const [which, setWhich] = useState<'unnamed' | 'all'>('unnamed');
  const [busy, setBusy] = useState(false);
  const unused = all.filter(({ usedBy }) => usedBy.length === 0);
  const unnamed = unused.filter(({ anonymous }) => anonymous);
  const going = which === 'all' ? unused : unnamed;
  const names = going.map(({ name }) => name);
  const sizes = useVolumeSizes(names);
  const total = totalOf(names, sizes);
  const confirm = () => {
    setBusy(true);
    void removeVolumes(names).finally(dialogCloser());
  };
  return (
    <ConfirmDialog
      title="Clean up volumes"
      confirm={going.length === 0 ? 'Remove' : `Remove ${formatCount(going.length, 'volume')}`}
      danger
      busy={busy}
      disabled={going.length === 0}
      onConfirm={confirm}
      onClose={closeDialog}
    >
      <Segments
        label="What to remove"
        value={which}
        onChange={setWhich}
        options={[
          { value: 'unnamed', label: 'Unnamed', count: unnamed.length },
          { value: 'all', label: 'All unused', count: unused.length },
        ]}
      />
      {going.length === 0 ? (
        <p>No unnamed volume is left over. Volumes with a name stay until you remove them.</p>
      ) : (
        <>
          <NameList names={going.map(volumeTitle)} notes={names.map((name) => sizeText(sizes.get(name)))} />
          <p>
            {total === undefined ? '' : `${formatBytes(total)} come back. `}
            No container uses these. All files in them are lost. This cannot be undone.
          </p>
        </>
      )}
    </ConfirmDialog>
  );
}
