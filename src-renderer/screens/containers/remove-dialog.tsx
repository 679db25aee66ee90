import { useState } from 'react';
import { removeContainers } from '../../actions/containers.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { CheckField } from '../../components/field.tsx';
import { Outside } from '../../components/text.tsx';
import { formatCount } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { navigate, useRoute } from '../../stores/navigation.ts';
import { useContainers } from '../../stores/objects.ts';

const named = 6;

export function RemoveContainersDialog({ ids }: { ids: readonly string[] }) {
  const all = useContainers((state) => state.value);
  const [volumes, setVolumes] = useState(false);
  const targets = (all ?? []).filter(({ id }) => ids.includes(id));
  const [only] = targets;
  if (!only) return null;
  const running = targets.filter(({ state }) => state === 'running' || state === 'paused' || state === 'restarting');
  const confirm = () => {
    closeDialog();
    const { route } = useRoute.getState();
    if (route.screen === 'container' && ids.includes(route.id)) navigate({ screen: 'containers' }, { replace: true });
    void removeContainers(targets, volumes);
  };
  return (
    <ConfirmDialog
      title={targets.length === 1 ? `Remove ${visibleText(only.name, 80)}?` : `Remove ${targets.length} containers?`}
      confirm={running.length > 0 ? 'Stop and remove' : 'Remove'}
      danger
      onConfirm={confirm}
      onClose={closeDialog}
    >
      {targets.length === 1 ? null : (
        <ul className="names">
          {targets.slice(0, named).map(({ id, name }) => (
            <li key={id}>
              <Outside text={name} className="strong" />
            </li>
          ))}
          {targets.length > named ? <li className="quiet">and {targets.length - named} more</li> : null}
        </ul>
      )}
      <p>
        {running.length === 0
          ? ''
          : targets.length === 1
            ? 'It is running and will be killed. '
            : `${formatCount(running.length, 'is', 'are')} running and will be killed. `}
        Changes to files inside and the logs are lost. This cannot be undone.
      </p>
      <CheckField
        label="Remove unnamed volumes too"
        hint="Volumes with a name always stay."
        checked={volumes}
        onChange={setVolumes}
      />
    </ConfirmDialog>
  );
}
