import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleStop,
  HeartCrack,
  HeartPulse,
  LoaderCircle,
  RefreshCw,
} from 'lucide-react';
import type { ContainerView } from '../../src-main/contract/engine.ts';
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

/** A health check says more than that it runs. */
const healthLooks = {
  starting: { label: 'Starting', tone: 'info', icon: HeartPulse },
  healthy: { label: 'Healthy', tone: 'good', icon: HeartPulse },
  unhealthy: { label: 'Unhealthy', tone: 'bad', icon: HeartCrack },
} as const;

/** The exit code in Docker's words `Exited (137) 2 hours ago`. */
function exitCodeOf(status: string): number | undefined {
  const code = /^Exited \((-?\d+)\)/.exec(status)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** The status without what the state already says: `Exited (137) 2 hours ago` → `2 hours ago`. */
export function shortStatus(status: string): string {
  return status
    .replace(/^(?:Exited|Restarting|Dead) \(-?\d+\) /, '')
    .replace(/ \((?:Paused|healthy|unhealthy|health: starting)\)$/, '');
}

/** The state as icon and word; an action under way takes its place. */
export function ContainerStateMark(container: Pick<ContainerView, 'id' | 'state' | 'status' | 'health'>) {
  const verb = useBusyContainers(({ busy }) => busy.get(container.id));
  return <StateMark container={container} verb={verb} />;
}

interface StateMarkProps {
  readonly container: Pick<ContainerView, 'state' | 'status' | 'health'>;
  readonly verb: ContainerVerb | undefined;
}

function StateMark({ container, verb }: StateMarkProps) {
  const { state, status, health } = container;
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
  const look = state === 'running' && health !== undefined ? healthLooks[health] : looks[state];
  const Icon = failed ? CircleAlert : look.icon;
  return (
    <span className={`state ${failed ? 'bad' : look.tone}`}>
      <Icon className="icon" aria-hidden />
      {failed ? `Exit ${code}` : look.label}
    </span>
  );
}
