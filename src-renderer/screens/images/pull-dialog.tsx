import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { CircleCheck, Download, Play } from 'lucide-react';
import type { TaskView } from '../../../src-main/contract/tasks.ts';
import { TaskBar } from '../../components/activity.tsx';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { shortId } from '../../format/quantities.ts';
import { closeDialog, openDialog } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { taskSummary } from '../../stores/task-words.ts';
import { cancelTask, startPull, useTasks } from '../../stores/tasks.ts';
import { showError } from '../../stores/toasts.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { LayerBars } from './layer-bars.tsx';
import { checkReference } from './reference.ts';

/** Asks for a reference, or shows a pull that runs or ran. Closing it stops nothing. */
export function PullDialog({ dialog }: { dialog: { readonly reference?: string; readonly taskId?: string } }) {
  const task = useTasks((state) => state.value?.find(({ id }) => id === dialog.taskId));
  if (task) return <PullView task={task} />;
  if (dialog.taskId === undefined) return <PullForm reference={dialog.reference ?? ''} />;
  // Dismissed in another window, or not told yet.
  return (
    <Dialog title="Pulling" onClose={closeDialog}>
      <div className="bar busy">
        <span />
      </div>
    </Dialog>
  );
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
        <Field
          label="Image"
          hint="A name on Docker Hub, or with its registry in front. Without a tag, latest is pulled."
          {...(touched && problem !== undefined ? { problem } : {})}
        >
          {(props) => (
            <input
              {...props}
              ref={input}
              className="input mono"
              placeholder="nginx:1.29"
              value={text}
              spellCheck={false}
              autoComplete="off"
              autoCapitalize="none"
              onChange={(event) => {
                setText(event.target.value);
                setRefusal(undefined);
              }}
            />
          )}
        </Field>
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" icon={Download} disabled={!ready} busy={busy}>
            Pull
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const titles = { running: 'Pulling', done: 'Pulled', failed: 'Could not pull', cancelled: 'Cancelled' };

function PullView({ task }: { task: TaskView }) {
  const { state, fraction, digest, error } = task;
  return (
    <Dialog
      title={titles[state]}
      description={<Outside text={task.subject} className="mono" />}
      onClose={closeDialog}
      wide
      reading
      footer={<PullActions task={task} />}
    >
      {state === 'failed' && error ? (
        <Notice tone="bad">
          <p>{error.message}</p>
          {error.hint === undefined ? null : <p>{error.hint}</p>}
        </Notice>
      ) : null}
      <div className="pull-total">
        <TaskBar task={task} />
        <p className="quiet">
          <span>{state === 'failed' ? '' : withDigest(taskSummary(task), digest)}</span>
          <span>{state === 'running' && fraction !== undefined ? `${Math.floor(fraction * 100)} %` : ''}</span>
        </p>
      </div>
      <LayerBars layers={task.layers} />
    </Dialog>
  );
}

function withDigest(summary: string, digest: string | undefined): string {
  return digest === undefined ? summary : `${summary} · ${shortId(digest)}`;
}

function PullActions({ task: { id, state, subject } }: { task: TaskView }) {
  const retry = () =>
    void startPull(subject)
      .then((taskId) => openDialog({ kind: 'pull', taskId }))
      .catch((error: unknown) => showError(`Could not pull ${subject}`, error));
  const done = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (state === 'done') done.current?.focus();
  }, [state]);
  switch (state) {
    case 'running':
      return (
        <>
          <Button tone="ghost" onClick={() => cancelTask(id)}>
            Cancel the pull
          </Button>
          <span className="spacer" />
          <Button onClick={closeDialog}>Go on in the background</Button>
        </>
      );
    case 'done':
      return (
        <>
          <span className="state good">
            <CircleCheck className="icon" aria-hidden /> Complete and verified
          </span>
          <span className="spacer" />
          <Button onClick={closeDialog}>Close</Button>
          <Button tone="primary" icon={Play} ref={done} onClick={() => openDialog({ kind: 'run', image: subject })}>
            Run
          </Button>
        </>
      );
    case 'failed':
    case 'cancelled':
      return (
        <>
          <Button onClick={() => openDialog({ kind: 'pull', reference: subject })}>Change the name</Button>
          <Button tone="primary" onClick={retry}>
            Try again
          </Button>
        </>
      );
  }
}
