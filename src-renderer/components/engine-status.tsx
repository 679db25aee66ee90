import { CircleAlert, CircleCheck, LoaderCircle, Power, TriangleAlert } from 'lucide-react';
import { mend, useEngineAction } from '../actions/engine.ts';
import { navigate } from '../stores/navigation.ts';
import { useHealth, useSettings, useVm } from '../stores/vm.ts';
import type { HealthTone } from '../stores/health.ts';

const icons = { good: CircleCheck, busy: LoaderCircle, warn: TriangleAlert, bad: CircleAlert, off: Power } as const;

/** Always in sight: how the engine is, what is wrong, and one button to mend it. */
export function EngineStatus() {
  const health = useHealth();
  const running = useEngineAction((state) => state.running);
  return (
    <section className={`engine-status ${health.tone}`} aria-label="Engine status">
      <button
        type="button"
        className="engine-status-open"
        title={`${health.title}: ${health.detail}`}
        onClick={() => navigate({ screen: 'engine' })}
      >
        <StatusIcon tone={health.tone} />
        <span className="engine-status-text" role="status">
          <strong>{health.title}</strong>
          <span className="outside">{health.tone === 'good' ? <Machine /> : health.detail}</span>
        </span>
      </button>
      {health.mend === undefined ? null : (
        <button
          type="button"
          className="engine-status-mend"
          disabled={running !== undefined}
          onClick={() => mend(health.mend ?? 'mend')}
        >
          {running === undefined ? health.mendLabel : 'Working…'}
        </button>
      )}
    </section>
  );
}

function StatusIcon({ tone }: { tone: HealthTone }) {
  const Icon = icons[tone];
  return <Icon className={tone === 'busy' ? 'icon spin' : 'icon'} aria-hidden />;
}

/** `kvm · 2 CPUs · 2 GiB` */
function Machine() {
  const backend = useVm((state) => state.value?.backend);
  const vm = useSettings((state) => state.value?.vm);
  const parts = [
    backend?.accelerator,
    vm === undefined ? undefined : `${vm.cpus} CPU${vm.cpus === 1 ? '' : 's'}`,
    vm === undefined ? undefined : `${Number((vm.memoryMiB / 1024).toFixed(1))} GiB`,
  ];
  return <>{parts.filter((part) => part !== undefined).join(' · ')}</>;
}
