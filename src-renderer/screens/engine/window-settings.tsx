import { useEffect, useState } from 'react';
import type { CallResult } from '../../../src-main/contract/channels.ts';
import type { Settings } from '../../../src-main/contract/vm.ts';
import { host } from '../../bridge.ts';
import { Facts } from '../../components/facts.tsx';
import { CheckField } from '../../components/field.tsx';
import { Segments } from '../../components/segments.tsx';
import { showError } from '../../stores/toasts.ts';
import { useSettings } from '../../stores/vm.ts';
import { DockerContext } from './docker-context.tsx';
import { TerminalSettings } from './terminal-settings.tsx';

/** The window's own settings: they take effect at once. */
export function WindowSettings() {
  const settings = useSettings((state) => state.value);
  const info = useInfo();
  if (!settings) return null;
  const save = (values: Partial<Settings>) => {
    host
      .call('settings.set', { settings: { ...settings, ...values } })
      .catch((error: unknown) => showError('Could not save the settings', error));
  };
  return (
    <>
      <section>
        <h2>Window</h2>
        <div className="settings-lines">
          <div>
            <span>Appearance</span>
            <Segments
              label="Appearance"
              value={settings.appearance.theme}
              onChange={(theme) => save({ appearance: { theme } })}
              options={[
                { value: 'system', label: 'System' },
                { value: 'light', label: 'Light' },
                { value: 'dark', label: 'Dark' },
              ]}
            />
          </div>
          {info?.shell === 'electron' ? <DesktopLines settings={settings} info={info} save={save} /> : null}
          <div>
            <span>When Wherry quits</span>
            <Segments
              label="When Wherry quits"
              value={settings.onQuit}
              onChange={(onQuit) => save({ onQuit })}
              options={[
                { value: 'leave-running', label: 'Leave containers running' },
                { value: 'sleep', label: 'Put the engine to sleep' },
                { value: 'stop', label: 'Stop the engine' },
              ]}
            />
          </div>
          <SleepLine settings={settings} save={save} />
        </div>
      </section>
      <TerminalSettings />
      <DockerContext />
      {info ? (
        <section className="settings-facts">
          <h2>About</h2>
          <Facts
            facts={[
              { name: 'Wherry', value: info.version },
              { name: 'Platform', value: info.platform },
              { name: 'Home', value: info.home, mono: true },
            ]}
          />
        </section>
      ) : null}
    </>
  );
}

const sleepChoices = [0, 1, 5, 15, 60];

/** Minutes set elsewhere are shown as what they are. */
function SleepLine({ settings, save }: Pick<DesktopLinesProps, 'settings' | 'save'>) {
  const { sleepAfterMinutes } = settings;
  const choices = [...new Set([...sleepChoices, sleepAfterMinutes])].sort((a, b) => a - b);
  return (
    <div>
      <label htmlFor="sleep-after">Sleep when nothing runs and nobody uses the engine</label>
      <select
        id="sleep-after"
        className="select"
        value={sleepAfterMinutes}
        onChange={(event) => save({ sleepAfterMinutes: Number(event.target.value) })}
      >
        {choices.map((minutes) => (
          <option key={minutes} value={minutes}>
            {minutes === 0 ? 'Never' : `After ${formatMinutes(minutes)}`}
          </option>
        ))}
      </select>
    </div>
  );
}

function formatMinutes(minutes: number): string {
  if (minutes === 60) return 'an hour';
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}

interface DesktopLinesProps {
  readonly settings: Settings;
  readonly info: Info;
  readonly save: (values: Partial<Settings>) => void;
}

/** What only the desktop app does. */
function DesktopLines({ settings, info, save }: DesktopLinesProps) {
  const { desktop } = settings;
  const change = (values: Partial<Settings['desktop']>) => save({ desktop: { ...desktop, ...values } });
  return (
    <>
      <div>
        <span>Closing the window</span>
        <Segments
          label="Closing the window"
          value={desktop.onClose}
          onChange={(onClose) => change({ onClose })}
          options={[
            { value: 'hide', label: 'Hides it' },
            { value: 'quit', label: 'Quits Wherry' },
          ]}
        />
      </div>
      {info.canStartAtLogin ? (
        <CheckField
          label="Start Wherry when you log in"
          checked={desktop.startAtLogin}
          onChange={(startAtLogin) => change({ startAtLogin })}
        />
      ) : null}
      <CheckField
        label="Notify of pulls that finish and containers that die"
        checked={desktop.notifications}
        onChange={(notifications) => change({ notifications })}
      />
    </>
  );
}

type Info = CallResult<'app.info'>;

function useInfo(): Info | undefined {
  const [info, setInfo] = useState<Info>();
  useEffect(() => {
    const abort = new AbortController();
    host.call('app.info', {}, abort.signal).then(setInfo, () => undefined);
    return () => abort.abort();
  }, []);
  return info;
}
