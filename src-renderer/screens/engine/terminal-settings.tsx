import { useState } from 'react';
import { terminalFontSizes, type Settings, type TerminalSettings as Terminal } from '../../../src-main/contract/vm.ts';
import { Field } from '../../components/field.tsx';
import { useSettings } from '../../stores/vm.ts';
import { SettingsForm } from './settings-form.tsx';

/** How terminals look; open ones change as soon as it is saved. */
export function TerminalSettings() {
  const settings = useSettings((state) => state.value);
  if (!settings) return null;
  // A new form when the settings change elsewhere, or were saved.
  return <TerminalForm key={JSON.stringify(settings.terminal)} settings={settings} />;
}

type Typed = Readonly<Record<'fontFamily' | 'fontSize', string>> & Pick<Terminal, 'theme'>;

const { least, most } = terminalFontSizes;

function TerminalForm({ settings }: { settings: Settings }) {
  const before: Typed = { ...settings.terminal, fontSize: String(settings.terminal.fontSize) };
  const [typed, setTyped] = useState(before);
  const change = (values: Partial<Typed>) => setTyped((present) => ({ ...present, ...values }));
  const fontSize = Number(typed.fontSize);
  const fits = Number.isInteger(fontSize) && fontSize >= least && fontSize <= most;
  return (
    <SettingsForm
      title="Terminal"
      isChanged={JSON.stringify(typed) !== JSON.stringify(before)}
      isValid={fits}
      next={() => ({ ...settings, terminal: { ...typed, fontSize } })}
      onUndo={() => setTyped(before)}
    >
      <Field label="Font" hint="Names as in CSS. Empty: the window’s own.">
        {(props) => (
          <input
            {...props}
            className="input mono"
            value={typed.fontFamily}
            placeholder="'JetBrains Mono', Menlo"
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => change({ fontFamily: event.target.value })}
          />
        )}
      </Field>
      <div className="pair">
        <Field label="Font size" {...(fits ? {} : { problem: `A whole number from ${least} to ${most}.` })}>
          {(props) => (
            <span className="with-unit">
              <input
                {...props}
                className="input"
                inputMode="numeric"
                value={typed.fontSize}
                autoComplete="off"
                onChange={(event) => change({ fontSize: event.target.value })}
              />
              <span className="unit">px</span>
            </span>
          )}
        </Field>
        <Field label="Colours">
          {(props) => (
            <select
              {...props}
              className="select"
              value={typed.theme}
              onChange={(event) => change({ theme: event.target.value as Terminal['theme'] })}
            >
              <option value="window">As the window</option>
              <option value="light">Light</option>
              <option value="dark">Dark</option>
              <option value="black">On black</option>
            </select>
          )}
        </Field>
      </div>
    </SettingsForm>
  );
}
