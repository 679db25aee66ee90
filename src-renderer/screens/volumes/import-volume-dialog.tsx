import { useState, type SubmitEvent } from 'react';
import { importVolume } from '../../actions/volumes.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes } from '../../format/quantities.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { useVolumes } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { NewVolumeField } from './new-volume-field.tsx';
import { checkNewName, nameOfArchive } from './volume-name.ts';

/** The work itself is told in the activity. */
export function ImportVolumeDialog({ file }: { file: File }) {
  const all = useVolumes((state) => state.value) ?? [];
  const [name, setName] = useState(() => nameOfArchive(file.name));
  const [problem, setProblem] = useState<string>();
  const ready = useEngineReady();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = name.trim();
    const taken = all.some((volume) => volume.name === wanted);
    const wrong = checkNewName(wanted) ?? (taken ? 'There is a volume of that name already.' : undefined);
    setProblem(wrong);
    if (wrong !== undefined) return;
    importVolume(wanted, file);
    closeDialog();
  };
  return (
    <Dialog title="Import a volume" onClose={closeDialog}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>
          A new volume is made of the files in <Outside text={file.name} className="strong" />, {formatBytes(file.size)}
          : a tar archive, compressed or not. If it cannot be read to its end, no volume is made.
        </p>
        <NewVolumeField value={name} problem={problem} onChange={setName} />
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" disabled={!ready}>
            Import
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
