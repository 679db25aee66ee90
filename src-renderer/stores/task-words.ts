/** What is said of a task. Pure. */
import { sumLayers, type TaskKind, type TaskState, type TaskView } from '../../src-main/contract/tasks.ts';
import { formatBytes, formatDuration } from '../format/quantities.ts';

const titles: Readonly<Record<TaskKind, Readonly<Record<TaskState, string>>>> = {
  pull: { running: 'Pulling', done: 'Pulled', failed: 'Could not pull', cancelled: 'Cancelled the pull of' },
  'prune-images': {
    running: 'Removing',
    done: 'Removed',
    failed: 'Could not remove',
    cancelled: 'Cancelled the removal of',
  },
};

/** `Pulled nginx:1.29` */
export function taskTitle({ kind, state, subject }: Pick<TaskView, 'kind' | 'state' | 'subject'>): string {
  return `${titles[kind][state]} ${subject}`;
}

/** How far it is, how fast, and how long it may take; or what came of it. */
export function taskSummary(task: TaskView): string {
  switch (task.state) {
    case 'running':
      return task.kind === 'pull' ? pullSummary(task) : '';
    case 'done': {
      const took = formatDuration((task.endedAtMs ?? task.startedAtMs) - task.startedAtMs);
      const bytes = task.resultBytes ?? 0;
      if (task.kind === 'prune-images') return `${formatBytes(bytes)} came back`;
      return bytes === 0 ? 'Already up to date' : `${formatBytes(bytes)} in ${took}`;
    }
    case 'failed':
      return task.error?.message ?? '';
    case 'cancelled':
      return '';
  }
}

function pullSummary(task: TaskView): string {
  const { downloaded, size } = sumLayers(task.layers);
  if (task.layers.length === 0) return 'Asking the registry';
  const left = size - downloaded;
  const { bytesPerSecond } = task;
  return [
    `${formatBytes(downloaded)} of ${formatBytes(size)}`,
    ...(bytesPerSecond === undefined ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(bytesPerSecond === undefined || left <= 0 ? [] : [`${timeLeft(left / bytesPerSecond)} left`]),
  ].join(' · ');
}

/** Nobody knows it better than to the second. */
function timeLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : formatDuration(whole * 1000);
}
