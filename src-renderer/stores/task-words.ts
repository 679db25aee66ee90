/** What is said of a task. Pure. */
import { sumLayers, type TaskKind, type TaskState, type TaskView } from '../../src-main/contract/tasks.ts';
import { formatBytes, formatDuration } from '../format/quantities.ts';

const titles: Readonly<Record<TaskKind, Readonly<Record<TaskState, string>>>> = {
  pull: { running: 'Pulling', done: 'Pulled', failed: 'Could not pull', cancelled: 'Cancelled the pull of' },
  push: { running: 'Pushing', done: 'Pushed', failed: 'Could not push', cancelled: 'Cancelled the push of' },
  'save-images': { running: 'Saving', done: 'Saved', failed: 'Could not save', cancelled: 'Cancelled saving' },
  'load-images': { running: 'Loading', done: 'Loaded', failed: 'Could not load', cancelled: 'Cancelled loading' },
  build: { running: 'Building', done: 'Built', failed: 'Could not build', cancelled: 'Cancelled the build of' },
  download: { running: 'Downloading', done: 'Downloaded', failed: 'Could not download', cancelled: 'Cancelled' },
  upload: { running: 'Uploading', done: 'Uploaded', failed: 'Could not upload', cancelled: 'Cancelled' },
  'clone-volume': {
    running: 'Cloning',
    done: 'Cloned',
    failed: 'Could not clone',
    cancelled: 'Cancelled the clone of',
  },
  'export-volume': {
    running: 'Exporting',
    done: 'Exported',
    failed: 'Could not export',
    cancelled: 'Cancelled the export of',
  },
  'import-volume': {
    running: 'Importing',
    done: 'Imported',
    failed: 'Could not import',
    cancelled: 'Cancelled the import of',
  },
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

/**
 * How far it is, how fast, and how long it may take; or what came of it.
 * @param stepsShown what it does now is told elsewhere
 */
export function taskSummary(task: TaskView, stepsShown = false): string {
  switch (task.state) {
    case 'running':
      if (task.kind === 'pull' || task.kind === 'push') return layersSummary(task);
      return [bytesSummary(task), stepsShown ? '' : (task.step ?? '')].filter(Boolean).join(' · ');
    case 'done': {
      const took = formatDuration((task.endedAtMs ?? task.startedAtMs) - task.startedAtMs);
      const bytes = task.resultBytes ?? 0;
      if (task.kind === 'prune-images') return `${formatBytes(bytes)} came back`;
      if (task.kind === 'pull' && bytes === 0) return 'Already up to date';
      if (task.kind === 'push' && bytes === 0) return 'The registry had all of it';
      if (task.kind === 'build') return `In ${took}`;
      const names = task.names ?? [];
      return [...(names.length === 0 ? [] : [names.join(', ')]), `${formatBytes(bytes)} in ${took}`].join(' · ');
    }
    case 'failed':
      return task.error?.message ?? '';
    case 'cancelled':
      return '';
  }
}

function layersSummary(task: TaskView): string {
  if (task.layers.length === 0) return 'Asking the registry';
  const { downloaded, size } = sumLayers(task.layers);
  return movedSummary(downloaded, size, task.bytesPerSecond);
}

/** Nothing once all of it has gone: what follows is told as a step. */
function bytesSummary({ bytes, bytesPerSecond, step }: TaskView): string {
  if (bytes === undefined || (step !== undefined && bytes.done === bytes.total)) return '';
  return movedSummary(bytes.done, bytes.total, bytesPerSecond);
}

function movedSummary(done: number, total: number | undefined, bytesPerSecond: number | undefined): string {
  const left = (total ?? 0) - done;
  return [
    total === undefined ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`,
    ...(bytesPerSecond === undefined ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(bytesPerSecond === undefined || left <= 0 ? [] : [`${timeLeft(left / bytesPerSecond)} left`]),
  ].join(' · ');
}

/** Nobody knows it better than to the second. */
function timeLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : formatDuration(whole * 1000);
}
