import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { openDialog } from '../stores/dialogs.ts';
import { pullFraction } from '../stores/pull-progress.ts';
import { cancelPull, forgetPull, usePulls, type Pull } from '../stores/pulls.ts';
import { Outside } from './text.tsx';

const shown = 4;

/** Pulls under way and just ended, wherever the user is; a click shows one in full. */
export function Activity() {
  const pulls = usePulls((state) => state.pulls);
  if (pulls.length === 0) return <div className="activity" />;
  return (
    <section className="activity" aria-label="Activity">
      <h2>Activity</h2>
      <ul>
        {pulls.slice(0, shown).map((pull) => (
          <ActivityItem key={pull.id} pull={pull} />
        ))}
      </ul>
    </section>
  );
}

function ActivityItem({ pull }: { pull: Pull }) {
  const fraction = pullFraction(pull.totals);
  const running = pull.state === 'running';
  const words = { done: 'pulled', failed: 'failed', cancelled: 'cancelled', running: 'pulling' };
  return (
    <li className={`activity-item ${pull.state}`}>
      <button
        type="button"
        className="activity-open"
        aria-label={`Show the pull of ${pull.reference}, ${words[pull.state]}`}
        onClick={() => openDialog({ kind: 'pull', pullId: pull.id })}
      >
        {pull.state === 'done' ? <CircleCheck className="icon" aria-hidden /> : null}
        {pull.state === 'failed' ? <CircleAlert className="icon" aria-hidden /> : null}
        <Outside text={pull.reference} />
        {running && fraction !== undefined ? <span className="percent">{Math.floor(fraction * 100)}%</span> : null}
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={running ? `Cancel the pull of ${pull.reference}` : 'Dismiss'}
        onClick={() => (running ? cancelPull(pull.id) : forgetPull(pull.id))}
      >
        <X className="icon" aria-hidden />
      </button>
      {running ? (
        <div className={fraction === undefined ? 'bar busy' : 'bar'}>
          <span style={fraction === undefined ? undefined : { transform: `scaleX(${fraction})` }} />
        </div>
      ) : null}
    </li>
  );
}
