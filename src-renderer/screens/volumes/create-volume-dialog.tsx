import { useState, type SubmitEvent } from 'react';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { LabelRows, labelsOf, type LabelRow } from '../../components/label-rows.tsx';
import { errorText } from '../../stores/follow-stream.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { checkVolumeName } from './volume-name.ts';

export function CreateVolumeDialog() {
  const [name, setName] = useState('');
  const [labels, setLabels] = useState<readonly LabelRow[]>([]);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const ready = useEngineReady();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = checkVolumeName(name.trim());
    setProblem(wrong);
    if (wrong !== undefined) return;
    const close = dialogCloser();
    setBusy(true);
    host
      .call('volumes.create', { name: name.trim(), labels: labelsOf(labels) })
      .then((created) => {
        close();
        navigate({ screen: 'volume', id: created.name });
      })
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title="Create a volume" onClose={closeDialog}>
      <form className="stack" onSubmit={submit} noValidate>
        <Field label="Name" hint="Empty: the engine makes one up." {...(problem === undefined ? {} : { problem })}>
          {(props) => (
            <input
              {...props}
              className="input"
              value={name}
              placeholder="web-data"
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <LabelRows rows={labels} onChange={setLabels} />
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" busy={busy} disabled={!ready}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
