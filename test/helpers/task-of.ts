/** Waits for a task of the host. */
import assert from 'node:assert/strict';
import type { TaskView } from '../../src-main/contract/tasks.ts';
import type { WireClient } from '../../src-main/contract/wire-client.ts';
import { until } from './handlers.ts';

/** The newest task of this subject once it is as wanted. */
export async function taskOf(
  client: WireClient,
  subject: string,
  isWanted: (task: TaskView) => boolean,
): Promise<TaskView> {
  let found: TaskView | undefined;
  const stop = client.subscribe('tasks', (tasks) => (found = tasks.find((task) => task.subject === subject)));
  await until(() => found !== undefined && isWanted(found));
  stop();
  assert.ok(found);
  return found;
}
