import { useState, type SubmitEvent } from 'react';
import type { NetworkSettings as Network, Settings } from '../../../src-main/contract/vm.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { errorText } from '../../stores/follow-stream.ts';
import { useSettings } from '../../stores/vm.ts';
import { tellSaved } from './tell-saved.ts';

/** How the engine reaches registries: proxy, mirrors, insecure ones, certificates. */
export function NetworkSettings() {
  const settings = useSettings((state) => state.value);
  if (!settings) return null;
  // A new form when the settings change elsewhere, or were saved.
  return <NetworkForm key={JSON.stringify(settings.network)} settings={settings} />;
}

/** Lists are typed one to a line. */
type Typed = Readonly<Record<Exclude<keyof Network, 'proxy'>, string>> & Pick<Network, 'proxy'>;

function NetworkForm({ settings }: { settings: Settings }) {
  const before = typedFrom(settings.network);
  const [typed, setTyped] = useState(before);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const changed = JSON.stringify(typed) !== JSON.stringify(before);
  const change = (values: Partial<Typed>) => setTyped((present) => ({ ...present, ...values }));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    host
      .call('settings.set', { settings: { ...settings, network: networkFrom(typed) } })
      .then(({ needsRestart }) => tellSaved(needsRestart))
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <section>
      <h2>Reaching registries</h2>
      <form className="settings-form" onSubmit={submit} noValidate>
        {problem === undefined ? null : (
          <Notice tone="bad">
            <p>{problem}</p>
          </Notice>
        )}
        <ProxyFields typed={typed} onChange={change} />
        <div className="pair">
          <Lines
            label="Mirrors of Docker Hub"
            hint="One to a line, asked in this order before Docker Hub itself."
            placeholder="mirror.example:5000"
            value={typed.registryMirrors}
            onChange={(registryMirrors) => change({ registryMirrors })}
          />
          <Lines
            label="Insecure registries"
            hint="One to a line: plain HTTP and certificates that nobody signed will do there."
            placeholder="registry.example:5000"
            value={typed.insecureRegistries}
            onChange={(insecureRegistries) => change({ insecureRegistries })}
          />
        </div>
        <Lines
          label="Certificate authorities"
          hint="PEM, trusted besides those that this machine trusts, which are passed on anyway."
          placeholder="-----BEGIN CERTIFICATE-----"
          value={typed.certificates}
          onChange={(certificates) => change({ certificates })}
        />
        <p className="quiet">The engine learns these when it starts: after a change it has to be restarted.</p>
        <div className="settings-end">
          <Button tone="primary" type="submit" busy={busy} disabled={!changed}>
            Save
          </Button>
          {changed ? <Button onClick={() => setTyped(before)}>Undo</Button> : null}
        </div>
      </form>
    </section>
  );
}

function ProxyFields({ typed, onChange }: { typed: Typed; onChange: (values: Partial<Typed>) => void }) {
  return (
    <>
      <Field label="Proxy" hint="This machine’s own is what http_proxy, https_proxy and no_proxy say.">
        {(props) => (
          <select
            {...props}
            className="select"
            value={typed.proxy}
            onChange={(event) => onChange({ proxy: event.target.value as Network['proxy'] })}
          >
            <option value="system">This machine’s own</option>
            <option value="none">None</option>
            <option value="manual">These</option>
          </select>
        )}
      </Field>
      {typed.proxy === 'manual' ? (
        <div className="triple">
          <Line
            label="For https"
            placeholder="http://proxy.example:3128"
            value={typed.httpsProxy}
            onChange={(httpsProxy) => onChange({ httpsProxy })}
          />
          <Line
            label="For http"
            placeholder="http://proxy.example:3128"
            value={typed.httpProxy}
            onChange={(httpProxy) => onChange({ httpProxy })}
          />
          <Line
            label="Not for"
            placeholder="localhost,.example"
            value={typed.noProxy}
            onChange={(noProxy) => onChange({ noProxy })}
          />
        </div>
      ) : null}
    </>
  );
}

interface TextProps {
  readonly label: string;
  readonly hint?: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Line({ label, placeholder, value, onChange }: TextProps) {
  return (
    <Field label={label}>
      {(props) => (
        <input
          {...props}
          className="input mono"
          value={value}
          placeholder={placeholder}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function Lines({ label, hint, placeholder, value, onChange }: TextProps) {
  return (
    <Field label={label} hint={hint}>
      {(props) => (
        <textarea
          {...props}
          className="input mono"
          rows={3}
          value={value}
          placeholder={placeholder}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function typedFrom(network: Network): Typed {
  return {
    ...network,
    insecureRegistries: network.insecureRegistries.join('\n'),
    registryMirrors: network.registryMirrors.join('\n'),
  };
}

function networkFrom(typed: Typed): Network {
  return {
    ...typed,
    insecureRegistries: linesOf(typed.insecureRegistries),
    registryMirrors: linesOf(typed.registryMirrors),
  };
}

function linesOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((line) => line !== '');
}
