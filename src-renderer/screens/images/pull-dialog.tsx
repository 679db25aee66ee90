import { useRef, useState, type SubmitEvent } from 'react';
import { Download, Play, Search } from 'lucide-react';
import type { TaskView } from '../../../src-main/contract/tasks.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { closeDialog, openDialog } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { startPull } from '../../stores/tasks.ts';
import { showError } from '../../stores/toasts.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { checkReference } from './reference.ts';
import { ReferenceField } from './reference-field.tsx';
import { TransferView, useTask, WaitingDialog } from './transfer-view.tsx';

/** Asks for a reference, or shows a pull that runs or ran. Closing it stops nothing. */
export function PullDialog({ dialog }: { dialog: { readonly reference?: string; readonly taskId?: string } }) {
  const task = useTask(dialog.taskId);
  if (task) return <PullView task={task} />;
  if (dialog.taskId === undefined) return <PullForm reference={dialog.reference ?? ''} />;
  return <WaitingDialog title="Pulling" />;
}

function PullForm({ reference: given }: { reference: string }) {
  const [text, setText] = useState(given);
  const [touched, setTouched] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const ready = useEngineReady();
  const input = useRef<HTMLInputElement>(null);
  const reference = text.trim();
  const problem = checkReference(reference) ?? refusal;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTouched(true);
    if (checkReference(reference) !== undefined) {
      input.current?.focus();
      return;
    }
    setBusy(true);
    startPull(reference)
      .then((taskId) => openDialog({ kind: 'pull', taskId }))
      .catch((error: unknown) => setRefusal(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title="Pull an image" onClose={closeDialog}>
      <form onSubmit={submit} className="stack" noValidate>
        <ReferenceField
          value={text}
          problem={touched ? problem : undefined}
          input={input}
          onChange={(value) => {
            setText(value);
            setRefusal(undefined);
          }}
        />
        <div className="form-end">
          <Button
            tone="ghost"
            icon={Search}
            disabled={!ready}
            onClick={() => openDialog({ kind: 'search-images', term: reference.replace(/:[^/]*$/, '') })}
          >
            Search…
          </Button>
          <span className="spacer" />
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" icon={Download} disabled={!ready} busy={busy}>
            Pull
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function PullView({ task }: { task: TaskView }) {
  const { subject } = task;
  const retry = () =>
    void startPull(subject)
      .then((taskId) => openDialog({ kind: 'pull', taskId }))
      .catch((error: unknown) => showError(`Could not pull ${subject}`, error));
  return (
    <TransferView
      task={task}
      words={words}
      done={{ label: 'Run', icon: Play, run: () => openDialog({ kind: 'run', image: subject }) }}
      onChange={() => openDialog({ kind: 'pull', reference: subject })}
      onRetry={retry}
    />
  );
}

const words = {
  running: 'Pulling',
  done: 'Pulled',
  failed: 'Could not pull',
  cancelled: 'Cancelled',
  cancel: 'Cancel the pull',
  complete: 'Complete and verified',
  existed: 'Already here',
};
