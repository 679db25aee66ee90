import { useEffect, useState } from 'react';
import { Power, RefreshCw, SquareTerminal, Stethoscope, Wrench } from 'lucide-react';
import type { VmView } from '../../../src-main/contract/vm.ts';
import { mend, useEngineAction } from '../../actions/engine.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { SerialConsole } from '../../components/serial-console.tsx';
import { formatDuration } from '../../format/quantities.ts';
import { navigate } from '../../stores/navigation.ts';
import { useHealth, useVm } from '../../stores/vm.ts';
import type { Health, Mend } from '../../stores/health.ts';
import { StageList } from './stage-list.tsx';
import { Voyage } from './voyage.tsx';

const mendIcons = { start: Power, mend: Wrench, reload: RefreshCw };

/** What stands where a screen would be while the engine has not answered yet: each stage, or what went wrong at which. */
export function BootScreen() {
  const health = useHealth();
  const view = useVm((state) => state.value);
  const [console, setConsole] = useState(false);
  const failed = view?.state.kind === 'failed';
  return (
    <div className="boot">
      <div className="boot-scroll scroll">
        <div className="boot-inner">
          <Voyage health={health} view={view} />
          <header aria-live="polite">
            <h1>{headline(health, view)}</h1>
            <p className="quiet">
              {health.detail} <Elapsed view={view} />
            </p>
          </header>
          {failed && health.hint !== undefined ? (
            <Notice tone="bad">
              <p>{health.hint}</p>
            </Notice>
          ) : health.hint === undefined ? null : (
            <p className="boot-hint">{health.hint}</p>
          )}
          <div className="row">
            {health.mend === undefined ? null : <MendButton way={health.mend} label={longLabel(health)} />}
            {view === undefined ? null : (
              <Button icon={SquareTerminal} aria-expanded={console} onClick={() => setConsole(!console)}>
                {console ? 'Hide console' : 'Serial console'}
              </Button>
            )}
            {failed ? (
              <Button icon={Stethoscope} onClick={() => navigate({ screen: 'engine' })}>
                Run the doctor
              </Button>
            ) : null}
          </div>
          {view && showsStages(view) ? <StageList stages={view.stages} /> : null}
        </div>
      </div>
      {console ? (
        <section className="boot-console" aria-label="Serial console">
          <SerialConsole />
        </section>
      ) : null}
    </div>
  );
}

function MendButton({ way, label }: { way: Mend; label: string }) {
  const running = useEngineAction((state) => state.running);
  return (
    <Button tone="primary" icon={mendIcons[way]} busy={running !== undefined} onClick={() => mend(way)}>
      {label}
    </Button>
  );
}

function headline(health: Health, view: VmView | undefined): string {
  if (view?.state.kind === 'booting') return view.state.attempt > 1 ? 'Trying once more' : 'Starting the engine';
  if (view?.state.kind === 'failed') return `The engine did not start: ${health.title.replace('Failed: ', '')}`;
  return health.title;
}

function longLabel(health: Health): string {
  if (health.mend === 'start') return `${health.mendLabel ?? 'Start'} the engine`;
  return health.mend === 'reload' ? 'Reload the window' : 'Mend and try again';
}

function showsStages(view: VmView): boolean {
  return ['booting', 'failed', 'ready'].includes(view.state.kind) && view.stages.length > 0;
}

function Elapsed({ view }: { view: VmView | undefined }) {
  const startedAtMs = view?.state.kind === 'booting' ? view.state.startedAtMs : undefined;
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (startedAtMs === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), 200);
    return () => clearInterval(timer);
  }, [startedAtMs]);
  if (startedAtMs === undefined) return null;
  return (
    <span className="faint" aria-hidden>
      {formatDuration(Math.max(0, now - startedAtMs))}
    </span>
  );
}
