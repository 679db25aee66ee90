import { useEffect, useRef, useState } from 'react';
import { CircleAlert, CircleCheck, CircleSlash, LoaderCircle, Play, Zap } from 'lucide-react';
import type { TaskView } from '../../../src-main/contract/tasks.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Outside } from '../../components/text.tsx';
import { formatCount } from '../../format/quantities.ts';
import { visibleLine, visibleText } from '../../format/unsafe-text.ts';
import { stripAnsi } from '../../logs/ansi.ts';
import { closeDialog, openDialog } from '../../stores/dialogs.ts';
import { followStream } from '../../stores/follow-stream.ts';
import { addBuildLines, stepState, type BuildStep } from './build-steps.ts';
import { DoneActions, RunningActions, TaskProblem, TaskTotal } from './transfer-view.tsx';

const titles = { running: 'Building', done: 'Built', failed: 'Could not build', cancelled: 'Cancelled' };
/** Of one step: what came before is not drawn. */
const maxShownLines = 400;
const maxShownLength = 2000;

/** A build that runs or ran, step by step. Closing it stops nothing. */
export function BuildView({ task }: { task: TaskView }) {
  const steps = useBuildSteps(task.id);
  const last = steps.at(-1);
  return (
    <Dialog
      title={titles[task.state]}
      description={<Outside text={task.subject} className="mono" />}
      onClose={closeDialog}
      wide
      reading
      footer={<BuildActions task={task} />}
    >
      <TaskProblem task={task} />
      <TaskTotal task={task} stepsShown={steps.length > 0} />
      <ol className="build-steps" aria-label="Steps">
        {steps.map((step, index) => (
          <StepItem key={index} step={step} state={stepState(step, last, task.state)} />
        ))}
      </ol>
    </Dialog>
  );
}

const icons = {
  done: CircleCheck,
  cached: Zap,
  running: LoaderCircle,
  failed: CircleAlert,
  cancelled: CircleSlash,
};
const tones = { done: 'good', cached: 'good', running: 'busy', failed: 'bad', cancelled: '' };
const words = {
  done: 'Done',
  cached: 'From the cache',
  running: 'Under way',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** What it printed is open while it runs and when it failed, unless the user says otherwise. */
function StepItem({ step, state }: { step: BuildStep; state: ReturnType<typeof stepState> }) {
  const [chosen, setChosen] = useState<boolean>();
  const Icon = icons[state];
  const { output } = step;
  const open = output.length > 0 && (chosen ?? (state === 'running' || state === 'failed' || step.number === 0));
  return (
    <li>
      <div className="build-step">
        <span className={`state ${tones[state]}`} title={words[state]}>
          <Icon className={state === 'running' ? 'icon spin' : 'icon'} aria-label={words[state]} />
        </span>
        <span className="faint mono">{step.number === 0 ? '' : `${step.number}/${step.of}`}</span>
        <code className="outside" title={visibleText(step.instruction, maxShownLength)}>
          {step.number === 0 ? 'Before the first step' : visibleText(step.instruction)}
        </code>
        {output.length === 0 ? (
          <span />
        ) : (
          <Button small tone="ghost" aria-expanded={open} onClick={() => setChosen(!open)}>
            {formatCount(output.length, 'line')}
          </Button>
        )}
      </div>
      {open ? <StepOutput lines={output} /> : null}
    </li>
  );
}

function StepOutput({ lines }: { lines: readonly string[] }) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  const shown = lines.slice(-maxShownLines);
  return (
    <pre className="build-output scroll" ref={box} tabIndex={0} aria-label="Output">
      {shown.map((line) => `${visibleLine(stripAnsi(line)).slice(0, maxShownLength)}\n`).join('')}
    </pre>
  );
}

function BuildActions({ task: { id, state, subject, names = [] } }: { task: TaskView }) {
  switch (state) {
    case 'running':
      return <RunningActions id={id} cancel="Cancel the build" />;
    case 'done': {
      const run = () => openDialog({ kind: 'run', image: names[0] ?? subject });
      return <DoneActions complete="The image is here" next={{ label: 'Run', icon: Play, run }} />;
    }
    case 'failed':
    case 'cancelled':
      return (
        <>
          <Button onClick={closeDialog}>Close</Button>
          <Button tone="primary" onClick={() => openDialog({ kind: 'build' })}>
            Build again
          </Button>
        </>
      );
  }
}

function useBuildSteps(id: string): readonly BuildStep[] {
  const [steps, setSteps] = useState<readonly BuildStep[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    followStream('tasks.output', {
      input: () => {
        setSteps([]);
        return { id };
      },
      onItem: ({ lines }) => setSteps((before) => addBuildLines(before, lines)),
      signal: abort.signal,
    }).catch(() => undefined); // Dismissed in another window: the task itself says how it ended.
    return () => abort.abort();
  }, [id]);
  return steps;
}
