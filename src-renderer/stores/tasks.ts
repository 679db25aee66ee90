/** Long work that the host does: started, cancelled and forgotten here, told by the topic to every window alike. */
import type { TaskView } from '../../src-main/contract/tasks.ts';
import { host } from '../bridge.ts';
import { useDialog } from './dialogs.ts';
import { taskTitle } from './task-words.ts';
import { showError, showToast } from './toasts.ts';
import { createTopicStore } from './topic-store.ts';

export const useTasks = createTopicStore('tasks');

/** One that ends while this window looks elsewhere is told; what ended before the window was opened is not. */
useTasks.subscribe(({ value: now }, { value: before }) => {
  for (const task of now ?? []) {
    const was = before?.find(({ id }) => id === task.id);
    if (was?.state === 'running' && task.state !== 'running' && !isOpen(task.id)) tellEnd(task);
  }
});

export async function startPull(reference: string): Promise<string> {
  return (await host.call('images.pull', { reference })).taskId;
}

export async function startPrune(unused: boolean): Promise<string> {
  return (await host.call('images.prune', { unused })).taskId;
}

export function cancelTask(id: string): void {
  host.call('tasks.cancel', { id }).catch((error: unknown) => showError('Could not cancel', error));
}

export function forgetTask(id: string): void {
  host.call('tasks.forget', { id }).catch((error: unknown) => showError('Could not take it off the list', error));
}

function tellEnd(task: TaskView): void {
  if (task.state === 'done') showToast({ tone: 'good', title: taskTitle(task) });
  else if (task.state === 'failed') showToast({ tone: 'bad', title: taskTitle(task), ...detailOf(task) });
}

function detailOf({ error }: TaskView): { readonly detail?: string } {
  if (!error) return {};
  return { detail: error.hint === undefined ? error.message : `${error.message}. ${error.hint}` };
}

/** Whether the user is looking at this task, and needs no message. */
function isOpen(id: string): boolean {
  const { dialog } = useDialog.getState();
  return (
    dialog?.kind === 'activity' ||
    ((dialog?.kind === 'pull' || dialog?.kind === 'push' || dialog?.kind === 'build') && dialog.taskId === id)
  );
}
