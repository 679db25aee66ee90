import { useEffect, useState } from 'react';
import type { CallResult } from '../../../src-main/contract/channels.ts';
import type { Settings } from '../../../src-main/contract/vm.ts';
import { host } from '../../bridge.ts';
import { Facts } from '../../components/facts.tsx';
import { Segments } from '../../components/segments.tsx';
import { showError } from '../../stores/toasts.ts';
import { useSettings } from '../../stores/vm.ts';

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
          <div>
            <span>When Wherry quits</span>
            <Segments
              label="When Wherry quits"
              value={settings.onQuit}
              onChange={(onQuit) => save({ onQuit })}
              options={[
                { value: 'leave-running', label: 'Leave containers running' },
                { value: 'stop', label: 'Stop the engine' },
              ]}
            />
          </div>
        </div>
      </section>
      {info ? (
        <section>
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

function useInfo(): CallResult<'app.info'> | undefined {
  const [info, setInfo] = useState<CallResult<'app.info'>>();
  useEffect(() => {
    const abort = new AbortController();
    host.call('app.info', {}, abort.signal).then(setInfo, () => undefined);
    return () => abort.abort();
  }, []);
  return info;
}
