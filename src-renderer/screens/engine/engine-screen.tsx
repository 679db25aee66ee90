import { useState } from 'react';
import { Copy, Moon, Power, RotateCw, Square, Trash2, Wrench } from 'lucide-react';
import { actOnEngine, mend, useEngineAction } from '../../actions/engine.ts';
import { copyText } from '../../actions/links.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { ScreenFrame } from '../../components/screen-frame.tsx';
import { Segments } from '../../components/segments.tsx';
import { SerialConsole } from '../../components/serial-console.tsx';
import { formatDuration } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { useNow } from '../../stores/now.ts';
import { useHealth, useVm } from '../../stores/vm.ts';
import { StageList } from '../boot/stage-list.tsx';
import { Doctor } from './doctor.tsx';
import { NetworkSettings } from './network-settings.tsx';
import { Resources } from './resources.tsx';
import { Usage } from './usage.tsx';
import { WindowSettings } from './window-settings.tsx';

type Part = 'status' | 'console' | 'settings';

/** The engine: what it is, each stage of it, its console, its doctor, and what it may use. */
export function EngineScreen() {
  const [part, setPart] = useState<Part>('status');
  return (
    <ScreenFrame title="Engine" summary={<Summary />} actions={<EngineActions />}>
      <div className="toolbar">
        <Segments
          label="Part"
          value={part}
          onChange={setPart}
          options={[
            { value: 'status', label: 'Status' },
            { value: 'console', label: 'Console' },
            { value: 'settings', label: 'Settings' },
          ]}
        />
      </div>
      {part === 'status' ? <StatusPart /> : null}
      {part === 'console' ? (
        <section className="engine-console" aria-label="Serial console">
          <SerialConsole />
        </section>
      ) : null}
      {part === 'settings' ? (
        <div className="page-body scroll">
          <Resources />
          <NetworkSettings />
          <WindowSettings />
          <StartOver />
        </div>
      ) : null}
    </ScreenFrame>
  );
}

function Summary() {
  const health = useHealth();
  const state = useVm((store) => store.value?.state);
  const now = useNow();
  if (state?.kind !== 'ready') return <>{health.title}</>;
  return (
    <>
      Up for {formatDuration(Math.max(0, now - state.sinceMs))}, started in {formatDuration(state.bootTookMs)}
    </>
  );
}

function EngineActions() {
  const health = useHealth();
  const kind = useVm((store) => store.value?.state.kind);
  const running = useEngineAction((store) => store.running);
  const sleeps = useVm((store) => store.value?.state.kind === 'sleeping' && store.value.state.step === 'saved');
  const off = kind === 'absent' || sleeps || kind === 'failed';
  return (
    <>
      {health.mend === 'mend' ? (
        <Button tone="primary" icon={Wrench} busy={running === 'mend'} onClick={() => mend('mend')}>
          Mend
        </Button>
      ) : null}
      {off ? (
        <Button
          tone={health.mend === 'mend' ? 'plain' : 'primary'}
          icon={Power}
          busy={running === 'start'}
          onClick={() => void actOnEngine('start')}
        >
          {sleeps ? 'Wake' : 'Start'}
        </Button>
      ) : (
        <>
          <Button
            icon={Moon}
            busy={running === 'sleep' || kind === 'sleeping'}
            disabled={kind !== 'ready'}
            onClick={() => void actOnEngine('sleep')}
          >
            Sleep
          </Button>
          <Button
            icon={RotateCw}
            busy={running === 'restart'}
            disabled={kind !== 'ready'}
            onClick={() => openDialog({ kind: 'stop-engine', restart: true })}
          >
            Restart
          </Button>
          <Button
            icon={Square}
            busy={running === 'stop'}
            disabled={kind === undefined || kind === 'stopping'}
            onClick={() => openDialog({ kind: 'stop-engine', restart: false })}
          >
            Stop
          </Button>
        </>
      )}
    </>
  );
}

function StartOver() {
  const running = useEngineAction((store) => store.running);
  return (
    <section>
      <h2>Start over</h2>
      <div className="settings-lines">
        <div>
          <span>Remove all images, containers and volumes, and begin with an empty disk.</span>
          <Button
            tone="danger"
            icon={Trash2}
            busy={running === 'reset'}
            onClick={() => openDialog({ kind: 'reset-engine' })}
          >
            Reset…
          </Button>
        </div>
      </div>
    </section>
  );
}

function StatusPart() {
  const view = useVm((store) => store.value);
  return (
    <div className="page-body scroll engine-status-body">
      <section>
        <h2>Stages</h2>
        {view ? <StageList stages={view.stages} /> : null}
      </section>
      <Doctor />
      <Usage />
      {view ? (
        <section>
          <h2>For the docker command</h2>
          <p className="quiet">Docker, compose and editors reach this engine through its socket.</p>
          <div className="command">
            <code className="mono">export DOCKER_HOST={view.dockerHost}</code>
            <IconButton
              icon={Copy}
              label="Copy the command"
              onClick={() => void copyText(`export DOCKER_HOST=${view.dockerHost}`, 'the command')}
            />
          </div>
        </section>
      ) : null}
    </div>
  );
}
