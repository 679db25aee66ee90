import { useState, type SubmitEvent } from 'react';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { errorText } from '../../stores/follow-stream.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { useContainers } from '../../stores/objects.ts';
import { checkContainerName } from './container-name.ts';

export function RenameDialog({ id }: { id: string }) {
  const before = useContainers((state) => state.value?.find((view) => view.id === id)?.name) ?? '';
  const [name, setName] = useState(before);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = name === '' ? 'A container needs a name.' : checkContainerName(name);
    setProblem(wrong);
    if (wrong !== undefined) return;
    setBusy(true);
    host
      .call('containers.rename', { id, name })
      .then(dialogCloser())
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title="Rename the container" onClose={closeDialog}>
      <form className="stack" onSubmit={submit} noValidate>
        <Field label="Name" {...(problem === undefined ? {} : { problem })}>
          {(props) => (
            <input
              {...props}
              className="input"
              value={name}
              spellCheck={false}
              autoComplete="off"
              onFocus={(event) => event.target.select()}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" busy={busy} disabled={name === before}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
