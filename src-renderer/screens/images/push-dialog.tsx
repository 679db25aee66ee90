import { useState, type SubmitEvent } from 'react';
import { Upload } from 'lucide-react';
import type { TaskView } from '../../../src-main/contract/tasks.ts';
import { startPush } from '../../actions/images.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, openDialog } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { showError } from '../../stores/toasts.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { registryOf } from './reference.ts';
import { TransferView, useTask, WaitingDialog } from './transfer-view.tsx';

interface PushProps {
  readonly dialog: { readonly tags?: readonly string[]; readonly taskId?: string };
}

/** Asks which of an image's names is pushed, or shows a push that runs or ran. */
export function PushDialog({ dialog: { tags = [], taskId } }: PushProps) {
  const task = useTask(taskId);
  if (task) return <PushView task={task} />;
  return taskId === undefined ? <PushForm tags={tags} /> : <WaitingDialog title="Pushing" />;
}

function PushForm({ tags }: { tags: readonly string[] }) {
  const [reference, setReference] = useState(tags[0] ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const ready = useEngineReady();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    startPush(reference)
      .then((taskId) => openDialog({ kind: 'push', taskId }))
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title="Push an image" onClose={closeDialog}>
      <form className="stack" onSubmit={submit} noValidate>
        <Field
          label="Name"
          hint={`It goes to ${visibleText(registryOf(reference), 80)}. Add a name to the image to push it elsewhere.`}
          {...(problem === undefined ? {} : { problem })}
        >
          {(props) => (
            <select
              {...props}
              className="input mono"
              value={reference}
              onChange={(event) => setReference(event.target.value)}
            >
              {tags.map((tag) => (
                <option key={tag} value={tag}>
                  {visibleText(tag, 160)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" icon={Upload} disabled={!ready} busy={busy}>
            Push
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function PushView({ task }: { task: TaskView }) {
  const { subject } = task;
  const retry = () =>
    void startPush(subject)
      .then((taskId) => openDialog({ kind: 'push', taskId }))
      .catch((error: unknown) => showError(`Could not push ${subject}`, error));
  return (
    <TransferView
      task={task}
      words={words}
      onChange={() => openDialog({ kind: 'push', tags: [subject] })}
      onRetry={retry}
    />
  );
}

const words = {
  running: 'Pushing',
  done: 'Pushed',
  failed: 'Could not push',
  cancelled: 'Cancelled',
  cancel: 'Cancel the push',
  complete: 'The registry has it',
  existed: 'Already there',
};
