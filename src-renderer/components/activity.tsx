import { CircleAlert, CircleCheck, X } from 'lucide-react';
import type { TaskView } from '../../src-main/contract/tasks.ts';
import { openDialog } from '../stores/dialogs.ts';
import { taskTitle } from '../stores/task-words.ts';
import { cancelTask, forgetTask, useTasks } from '../stores/tasks.ts';
import { Outside } from './text.tsx';

const shown = 3;

/** Work under way and just ended, wherever the user is; a click shows one in full, the heading shows all. */
export function Activity() {
  const tasks = useTasks((state) => state.value) ?? [];
  if (tasks.length === 0) return <div className="activity" />;
  const rest = tasks.length - shown;
  return (
    <section className="activity" aria-label="Activity">
      <h2>
        <button type="button" onClick={() => openDialog({ kind: 'activity' })} title="All activity (g a)">
          Activity
          {rest > 0 ? <span>{rest} more</span> : null}
        </button>
      </h2>
      <ul>
        {tasks.slice(0, shown).map((task) => (
          <ActivityItem key={task.id} task={task} />
        ))}
      </ul>
    </section>
  );
}

function ActivityItem({ task }: { task: TaskView }) {
  const { id, state, subject, fraction } = task;
  const running = state === 'running';
  return (
    <li className={`activity-item ${state}`}>
      <button
        type="button"
        className="activity-open"
        aria-label={`Show: ${taskTitle(task)}`}
        onClick={() => showTask(task)}
      >
        {state === 'done' ? <CircleCheck className="icon" aria-hidden /> : null}
        {state === 'failed' ? <CircleAlert className="icon" aria-hidden /> : null}
        <Outside text={subject} />
        {running && fraction !== undefined ? <span className="percent">{Math.floor(fraction * 100)}%</span> : null}
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={running ? `Cancel: ${taskTitle(task)}` : `Dismiss: ${taskTitle(task)}`}
        onClick={() => (running ? cancelTask(id) : forgetTask(id))}
      >
        <X className="icon" aria-hidden />
      </button>
      {running ? <TaskBar task={task} /> : null}
    </li>
  );
}

/** What has a view of its own: layer by layer, or step by step. The rest is told whole in the drawer. */
export function taskDetail({ kind }: TaskView): 'Layers' | 'Steps' | undefined {
  if (kind === 'pull' || kind === 'push') return 'Layers';
  return kind === 'build' ? 'Steps' : undefined;
}

export function showTask({ id, kind }: TaskView): void {
  if (kind === 'pull' || kind === 'push' || kind === 'build') openDialog({ kind, taskId: id });
  else openDialog({ kind: 'activity' });
}

export function TaskBar({ task: { state, fraction, subject } }: { task: TaskView }) {
  const known = state === 'done' ? 1 : fraction;
  const tones = { running: '', done: ' good', failed: ' bad', cancelled: '' };
  const busy = state === 'running' && known === undefined;
  return (
    <div
      className={busy ? 'bar busy' : `bar${tones[state]}`}
      role="progressbar"
      aria-label={subject}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(known === undefined ? {} : { 'aria-valuenow': Math.floor(known * 100) })}
    >
      <span style={busy ? undefined : { transform: `scaleX(${known ?? 0})` }} />
    </div>
  );
}
