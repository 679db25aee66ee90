import { useState } from 'react';
import { actOnEngine } from '../../actions/engine.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { formatCount } from '../../format/quantities.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { useContainers, useImages, useVolumes } from '../../stores/objects.ts';

const word = 'reset';

/** Everything in the engine goes for good: the word must be typed. */
export function ResetDialog() {
  const [typed, setTyped] = useState('');
  const images = useImages((state) => state.value?.length ?? 0);
  const containers = useContainers((state) => state.value?.length ?? 0);
  const volumes = useVolumes((state) => state.value?.length ?? 0);
  return (
    <ConfirmDialog
      title="Remove everything and start over?"
      confirm="Remove everything"
      danger
      disabled={typed.trim().toLowerCase() !== word}
      onClose={closeDialog}
      onConfirm={() => {
        closeDialog();
        void actOnEngine('reset');
      }}
    >
      <p>
        {formatCount(containers, 'container')}, {formatCount(images, 'image')} and {formatCount(volumes, 'volume')} with
        all their data are removed for good. Settings stay. This cannot be undone.
      </p>
      <Field label={`Type “${word}” to go on`}>
        {(props) => (
          <input
            {...props}
            className="input"
            value={typed}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
    </ConfirmDialog>
  );
}
