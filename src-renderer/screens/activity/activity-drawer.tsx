import { CircleAlert, CircleCheck, CircleSlash, LoaderCircle, X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import type { TaskView } from '../../../src-main/contract/tasks.ts';
import { showTask, taskDetail, TaskBar } from '../../components/activity.tsx';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { useReturnFocus } from '../../components/return-focus.ts';
import { Ago } from '../../components/text.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { taskSummary, taskTitle } from '../../stores/task-words.ts';
import { cancelTask, forgetTask, useTasks } from '../../stores/tasks.ts';

const icons = { running: LoaderCircle, done: CircleCheck, failed: CircleAlert, cancelled: CircleSlash };
const tones = { running: 'busy', done: 'good', failed: 'bad', cancelled: '' };

/** All long work: what is under way with its speed and what is left of it, and what became of the rest. */
export function ActivityDrawer() {
  const tasks = useTasks((state) => state.value) ?? [];
  const returnFocus = useReturnFocus();
  const ended = tasks.filter(({ state }) => state !== 'running');
  return (
    <Dialog.Root open onOpenChange={(open) => !open && closeDialog()}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="drawer" aria-describedby={undefined} onCloseAutoFocus={returnFocus}>
          <header>
            <Dialog.Title>Activity</Dialog.Title>
            {ended.length === 0 ? null : (
              <Button small tone="ghost" onClick={() => ended.forEach(({ id }) => forgetTask(id))}>
                Clear ended
              </Button>
            )}
            <Dialog.Close className="icon-button" aria-label="Close">
              <X className="icon" aria-hidden />
            </Dialog.Close>
          </header>
          {tasks.length === 0 ? (
            <Empty title="Nothing is under way">
              <p>Pulls, builds and other long work show here, also when you started them in another window.</p>
            </Empty>
          ) : (
            <ul className="tasks scroll" tabIndex={0} aria-label="Tasks">
              {tasks.map((task) => (
                <TaskItem key={task.id} task={task} />
              ))}
            </ul>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function TaskItem({ task }: { task: TaskView }) {
  const { id, state, fraction, error } = task;
  const running = state === 'running';
  const detail = taskDetail(task);
  const Icon = icons[state];
  return (
    <li className="task">
      <span className={`state ${tones[state]}`}>
        <Icon className={running ? 'icon spin' : 'icon'} aria-hidden />
      </span>
      <div className="task-body">
        <strong className="outside wrapped">{visibleText(taskTitle(task), 160)}</strong>
        {running ? <TaskBar task={task} /> : null}
        <p className="quiet">
          <span>{visibleText(taskSummary(task), 600)}</span>
          <span>
            {running ? (
              fraction === undefined ? (
                ''
              ) : (
                `${Math.floor(fraction * 100)} %`
              )
            ) : (
              <Ago timeMs={task.endedAtMs ?? 0} />
            )}
          </span>
        </p>
        {error?.hint === undefined ? null : <p className="quiet">{error.hint}</p>}
        <div className="row">
          {running ? (
            <Button small onClick={() => cancelTask(id)}>
              Cancel
            </Button>
          ) : (
            <Button small onClick={() => forgetTask(id)}>
              Dismiss
            </Button>
          )}
          {detail === undefined ? null : (
            <Button small tone="ghost" onClick={() => showTask(task)}>
              {detail}
            </Button>
          )}
        </div>
      </div>
    </li>
  );
}
