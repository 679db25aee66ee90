import { useState } from 'react';
import { CircleAlert, CircleCheck, CircleMinus, FileDown, Stethoscope, TriangleAlert } from 'lucide-react';
import type { DoctorCheck } from '../../../src-main/contract/vm.ts';
import { saveText } from '../../actions/links.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { formatCount } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { showError } from '../../stores/toasts.ts';

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
      <SaveReport />
    </section>
  );
}

/** For a bug report. Its reader sees first what goes out. */
function SaveReport() {
  const [busy, setBusy] = useState(false);
  const save = () => {
    setBusy(true);
    host
      .call('diagnostics.report', {})
      .then(({ text }) => saveText([text], `wherry-report-${new Date().toISOString().slice(0, 10)}.txt`))
      .catch((error: unknown) => showError('Could not write the report', error))
      .finally(() => setBusy(false));
  };
  return (
    <div className="report">
      <p className="quiet">
        A report for a bug: versions, settings, what the doctor finds, the engine’s lists and logs. Passwords, tokens
        and keys are taken out; read it before you send it on.
      </p>
      <Button small icon={FileDown} busy={busy} onClick={save}>
        Save a report
      </Button>
    </div>
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
