import { CircleAlert, CircleCheck, CircleDashed, CirclePause, CircleStop, LoaderCircle, RefreshCw } from 'lucide-react';
import type { ContainerState } from '../../src-main/contract/engine.ts';
import { doingWord, useBusyContainers, type ContainerVerb } from '../actions/containers.ts';

const looks = {
  created: { label: 'Created', tone: '', icon: CircleDashed },
  running: { label: 'Running', tone: 'good', icon: CircleCheck },
  paused: { label: 'Paused', tone: 'info', icon: CirclePause },
  restarting: { label: 'Restarting', tone: 'warn', icon: RefreshCw },
  removing: { label: 'Removing', tone: 'busy', icon: LoaderCircle },
  exited: { label: 'Exited', tone: '', icon: CircleStop },
  dead: { label: 'Dead', tone: 'bad', icon: CircleAlert },
} as const;

/** The exit code in Docker's words `Exited (137) 2 hours ago`. */
function exitCodeOf(status: string): number | undefined {
  const code = /^Exited \((-?\d+)\)/.exec(status)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** The status without what the state already says: `Exited (137) 2 hours ago` → `2 hours ago`. */
export function shortStatus(status: string): string {
  return status.replace(/^(?:Exited|Restarting|Dead) \(-?\d+\) /, '').replace(/ \(Paused\)$/, '');
}

/** The state as icon and word; an action under way takes its place. */
export function ContainerStateMark({ id, state, status }: { id: string; state: ContainerState; status: string }) {
  const verb = useBusyContainers(({ busy }) => busy.get(id));
  return <StateMark state={state} status={status} {...(verb === undefined ? {} : { verb })} />;
}

function StateMark({ state, status, verb }: { state: ContainerState; status: string; verb?: ContainerVerb }) {
  if (verb !== undefined) {
    return (
      <span className="state busy">
        <LoaderCircle className="icon spin" aria-hidden />
        {doingWord(verb)}
      </span>
    );
  }
  const code = state === 'exited' ? exitCodeOf(status) : undefined;
  const failed = code !== undefined && code !== 0;
  const look = looks[state];
  const Icon = failed ? CircleAlert : look.icon;
  return (
    <span className={`state ${failed ? 'bad' : look.tone}`}>
      <Icon className="icon" aria-hidden />
      {failed ? `Exit ${code}` : look.label}
    </span>
  );
}
