import { LoaderCircle, Moon, TriangleAlert } from 'lucide-react';
import { mend, useEngineAction } from '../actions/engine.ts';
import { useRoute } from '../stores/navigation.ts';
import { useBootShown, useHealth, useVm } from '../stores/vm.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';

/** Over a screen whose data may be old: what is wrong, and the button. The boot and engine screens say it themselves. */
export function Banner() {
  const health = useHealth();
  const warnings = useVm((state) => state.value?.warnings);
  const asleep = useVm((state) => state.value?.state.kind === 'sleeping');
  const running = useEngineAction((state) => state.running);
  const boot = useBootShown();
  const screen = useRoute((state) => state.route.screen);
  if (health.usable) {
    const [warning] = warnings ?? [];
    if (!warning || screen !== 'engine') return null;
    return (
      <div className="banner">
        <Notice tone="warn">
          <p>{warning.message}</p>
          <p>{warning.hint}</p>
        </Notice>
      </div>
    );
  }
  if (boot && screen !== 'engine') return null;
  const Icon = health.tone === 'busy' ? LoaderCircle : asleep ? Moon : TriangleAlert;
  return (
    <div className={`banner strip ${health.tone}`} role="status">
      <Icon className={health.tone === 'busy' ? 'icon spin' : 'icon'} aria-hidden />
      <p>
        <strong>{health.title}.</strong> {health.detail}{' '}
        {screen === 'engine' ? '' : <span className="quiet">What you see is the last known state.</span>}
      </p>
      {health.mend === undefined ? null : (
        <Button small busy={running !== undefined} onClick={() => mend(health.mend ?? 'mend')}>
          {health.mendLabel}
        </Button>
      )}
    </div>
  );
}
