import { useState } from 'react';
import { CircleAlert, CircleCheck, CircleMinus, Stethoscope, TriangleAlert } from 'lucide-react';
import type { DoctorCheck } from '../../../src-main/contract/vm.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { formatCount } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { errorText } from '../../stores/follow-stream.ts';

const icons = { ok: CircleCheck, warning: TriangleAlert, failed: CircleAlert, skipped: CircleMinus };
const tones = { ok: 'good', warning: 'warn', failed: 'bad', skipped: '' };
const words = { ok: 'fine', warning: 'warning', failed: 'failed', skipped: 'skipped' };

/** Probes everything the engine needs and names what is broken with its remedy. */
export function Doctor() {
  const [checks, setChecks] = useState<readonly DoctorCheck[]>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const run = () => {
    setBusy(true);
    setProblem(undefined);
    host
      .call('diagnostics.doctor', {})
      .then(setChecks)
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <section aria-label="Doctor">
      <div className="section-head">
        <h2>Doctor</h2>
        <Button small icon={Stethoscope} busy={busy} onClick={run}>
          {checks ? 'Check again' : 'Check everything'}
        </Button>
      </div>
      {problem === undefined ? null : (
        <Notice tone="bad">
          <p>{problem}</p>
        </Notice>
      )}
      {checks ? (
        <div aria-live="polite">
          <p className="quiet">{verdict(checks)}</p>
          <ul className="checks">
            {checks.map((check) => (
              <Check key={check.name} check={check} />
            ))}
          </ul>
        </div>
      ) : (
        <p className="quiet">Probes what the engine needs, one by one, and says how to mend what is not right.</p>
      )}
    </section>
  );
}

function Check({ check }: { check: DoctorCheck }) {
  const Icon = icons[check.state];
  return (
    <li className="check-line">
      <span className={`state ${tones[check.state]}`}>
        <Icon className="icon" aria-hidden />
        <span className="sr">{words[check.state]}</span>
      </span>
      <strong>{check.name}</strong>
      <span>
        <span className="quiet">{visibleText(check.detail, 1000)}</span>
        {check.remedy === undefined ? null : <span className="remedy">{check.remedy}</span>}
      </span>
    </li>
  );
}

function verdict(checks: readonly DoctorCheck[]): string {
  const failed = checks.filter(({ state }) => state === 'failed').length;
  const warned = checks.filter(({ state }) => state === 'warning').length;
  if (failed > 0) return `${formatCount(failed, 'check')} failed; start with the first.`;
  return warned > 0 ? `All works; ${formatCount(warned, 'thing')} could be better.` : 'Everything is as it should be.';
}
