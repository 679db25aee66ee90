import { useState, type SubmitEvent } from 'react';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { useVolumes } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { NewVolumeField } from './new-volume-field.tsx';
import { checkNewName, copyName } from './volume-name.ts';

/** The work itself is told in the activity. */
export function CloneVolumeDialog({ name }: { name: string }) {
  const all = useVolumes((state) => state.value) ?? [];
  const [newName, setNewName] = useState(() =>
    copyName(
      name,
      all.map((volume) => volume.name),
    ),
  );
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const ready = useEngineReady();
  const writers = all
    .filter((volume) => volume.name === name)
    .flatMap(({ usedBy }) => usedBy)
    .filter(({ state, readOnly }) => state === 'running' && !readOnly);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = checkNewName(newName.trim());
    setProblem(wrong);
    if (wrong !== undefined) return;
    const close = dialogCloser();
    setBusy(true);
    host
      .call('volumes.clone', { name, newName: newName.trim() })
      .then(close)
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={`Clone ${visibleText(name, 60)}`} onClose={closeDialog}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>
          A new volume gets all files of this one. Where the disk can, they share their space until one of them changes.
        </p>
        <NewVolumeField value={newName} problem={problem} onChange={setNewName} />
        {writers.length === 0 ? null : (
          <Notice tone="warn">
            <p>
              Running containers may write to it meanwhile:{' '}
              <Outside text={[...new Set(writers.map((user) => user.name))].join(', ')} className="wrapped" />. Each
              file is taken as it is at its own moment, so the files of a database may not fit together. Stop them first
              to be sure.
            </p>
          </Notice>
        )}
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" busy={busy} disabled={!ready}>
            Clone
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
