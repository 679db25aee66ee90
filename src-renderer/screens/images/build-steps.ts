/** What a build prints, told by step. Pure. */
import { parseBuildStep, type TaskState } from '../../../src-main/contract/tasks.ts';

export interface BuildStep {
  /** 0: what is said before the first step. */
  readonly number: number;
  readonly of: number;
  readonly instruction: string;
  readonly cached: boolean;
  readonly output: readonly string[];
}

export function addBuildLines(steps: readonly BuildStep[], lines: readonly string[]): readonly BuildStep[] {
  if (lines.length === 0) return steps;
  const all = [...steps];
  for (const line of lines) {
    const begun = parseBuildStep(line);
    if (begun) {
      all.push({ ...begun, cached: false, output: [] });
      continue;
    }
    const last = all.pop() ?? { number: 0, of: 0, instruction: '', cached: false, output: [] };
    const cached = line.trim() === '---> Using cache';
    // What the builder says of its own images and containers is of no interest to a reader.
    const isOwn = /^ ---> |^(Removing|Removed) intermediate container /.test(line);
    all.push({ ...last, cached: last.cached || cached, output: isOwn ? last.output : [...last.output, line] });
  }
  return all;
}

/** The last step is where the build stands. */
export function stepState(
  step: BuildStep,
  last: BuildStep | undefined,
  task: TaskState,
): 'done' | 'cached' | 'running' | 'failed' | 'cancelled' {
  if (step !== last || task === 'done') return step.cached ? 'cached' : 'done';
  return task;
}
