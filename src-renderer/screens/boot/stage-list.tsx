import { Check, Circle, LoaderCircle, X } from 'lucide-react';
import type { VmStageProgress } from '../../../src-main/contract/vm.ts';
import { formatDuration } from '../../format/quantities.ts';
import { stageNames } from '../../stores/health.ts';

const icons = { waiting: Circle, running: LoaderCircle, done: Check, failed: X };
const words = { waiting: 'waiting', running: 'in progress', done: 'done', failed: 'failed' };

/** The stages on the way to a ready engine, each with its own state: probed, not guessed. */
export function StageList({ stages }: { stages: readonly VmStageProgress[] }) {
  return (
    <ol className="stages" aria-label="Stages">
      {stages.map(({ stage, state, label, tookMs }) => {
        const Icon = icons[state];
        return (
          <li key={stage} className={`stage ${state}`} aria-current={state === 'running' ? 'step' : undefined}>
            <span className="stage-mark">
              <Icon className={state === 'running' ? 'icon spin' : 'icon'} aria-hidden />
            </span>
            <span className="stage-name">{stageNames[stage]}</span>
            <span className="outside quiet" title={label}>
              {state === 'running' || state === 'failed' ? label : ''}
            </span>
            <span className="faint">{tookMs === undefined ? '' : formatDuration(tookMs)}</span>
            <span className="sr">{words[state]}</span>
          </li>
        );
      })}
    </ol>
  );
}
