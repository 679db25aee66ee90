import { useEffect, useRef } from 'react';
import { CircleCheck, type LucideIcon } from 'lucide-react';
import type { TaskState, TaskView } from '../../../src-main/contract/tasks.ts';
import { TaskBar } from '../../components/activity.tsx';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { shortId } from '../../format/quantities.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { taskSummary } from '../../stores/task-words.ts';
import { cancelTask, useTasks } from '../../stores/tasks.ts';
import { LayerBars } from './layer-bars.tsx';

interface TransferProps {
  readonly task: TaskView;
  readonly words: Readonly<Record<TaskState | 'cancel' | 'complete' | 'existed', string>>;
  /** What one would do next with what came. */
  readonly done?: { readonly label: string; readonly icon: LucideIcon; readonly run: () => void };
  readonly onChange: () => void;
  readonly onRetry: () => void;
}

export function useTask(id: string | undefined): TaskView | undefined {
  return useTasks((state) => state.value?.find((task) => task.id === id));
}

/** A task that was dismissed in another window, or has not been told yet. */
export function WaitingDialog({ title }: { title: string }) {
  return (
    <Dialog title={title} onClose={closeDialog}>
      <div className="bar busy">
        <span />
      </div>
    </Dialog>
  );
}

/** A pull or push, layer by layer, that runs or ran. Closing it stops nothing. */
export function TransferView(props: TransferProps) {
  const { task, words } = props;
  return (
    <Dialog
      title={words[task.state]}
      description={<Outside text={task.subject} className="mono" />}
      onClose={closeDialog}
      wide
      reading
      footer={<TransferActions {...props} />}
    >
      <TaskProblem task={task} />
      <TaskTotal task={task} />
      <LayerBars layers={task.layers} existed={words.existed} />
    </Dialog>
  );
}

export function TaskProblem({ task: { state, error } }: { task: TaskView }) {
  if (state !== 'failed' || !error) return null;
  return (
    <Notice tone="bad">
      <p className="wrapped">{error.message}</p>
      {error.hint === undefined ? null : <p>{error.hint}</p>}
    </Notice>
  );
}

/** How far the whole is. */
export function TaskTotal({ task, stepsShown = false }: { task: TaskView; stepsShown?: boolean }) {
  const { state, fraction, digest } = task;
  return (
    <div className="pull-total">
      <TaskBar task={task} />
      <p className="quiet">
        {state === 'failed' ? <span /> : <Outside text={withDigest(taskSummary(task, stepsShown), digest)} />}
        <span>{state === 'running' && fraction !== undefined ? `${Math.floor(fraction * 100)} %` : ''}</span>
      </p>
    </div>
  );
}

function withDigest(summary: string, digest: string | undefined): string {
  return digest === undefined ? summary : `${summary} · ${shortId(digest)}`;
}

function TransferActions({ task: { id, state }, words, done, onChange, onRetry }: TransferProps) {
  switch (state) {
    case 'running':
      return <RunningActions id={id} cancel={words.cancel} />;
    case 'done':
      return <DoneActions complete={words.complete} {...(done === undefined ? {} : { next: done })} />;
    case 'failed':
    case 'cancelled':
      return (
        <>
          <Button onClick={onChange}>Change the name</Button>
          <Button tone="primary" onClick={onRetry}>
            Try again
          </Button>
        </>
      );
  }
}

export function RunningActions({ id, cancel }: { id: string; cancel: string }) {
  return (
    <>
      <Button tone="ghost" onClick={() => cancelTask(id)}>
        {cancel}
      </Button>
      <span className="spacer" />
      <Button onClick={closeDialog}>Go on in the background</Button>
    </>
  );
}

export function DoneActions({ complete, next }: { complete: string; next?: NonNullable<TransferProps['done']> }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <>
      <span className="state good">
        <CircleCheck className="icon" aria-hidden /> {complete}
      </span>
      <span className="spacer" />
      <Button {...(next === undefined ? { ref: button } : {})} onClick={closeDialog}>
        Close
      </Button>
      {next === undefined ? null : (
        <Button tone="primary" icon={next.icon} ref={button} onClick={next.run}>
          {next.label}
        </Button>
      )}
    </>
  );
}
