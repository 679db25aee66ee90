import { useState, type ChangeEvent } from 'react';
import type { NetworkSettings as Network, Settings } from '../../../src-main/contract/vm.ts';
import { Field } from '../../components/field.tsx';
import { useSettings } from '../../stores/vm.ts';
import { SettingsForm } from './settings-form.tsx';

/** How the engine reaches registries (proxy, mirrors, insecure ones, certificates), and where networks get addresses. */
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
  const changed = JSON.stringify(typed) !== JSON.stringify(before);
  const change = (values: Partial<Typed>) => setTyped((present) => ({ ...present, ...values }));
  return (
    <SettingsForm
      title="Network"
      isChanged={changed}
      isValid
      next={() => ({ ...settings, network: networkFrom(typed) })}
      onUndo={() => setTyped(before)}
    >
      <ProxyFields typed={typed} onChange={change} />
      <div className="pair">
        <Text
          rows={3}
          label="Mirrors of Docker Hub"
          hint="One to a line, asked in this order before Docker Hub itself."
          placeholder="mirror.example:5000"
          value={typed.registryMirrors}
          onChange={(registryMirrors) => change({ registryMirrors })}
        />
        <Text
          rows={3}
          label="Insecure registries"
          hint="One to a line: plain HTTP and certificates that nobody signed will do there."
          placeholder="registry.example:5000"
          value={typed.insecureRegistries}
          onChange={(insecureRegistries) => change({ insecureRegistries })}
        />
      </div>
      <Text
        rows={3}
        label="Certificate authorities"
        hint="PEM, trusted besides those that this machine trusts, which are passed on anyway."
        placeholder="-----BEGIN CERTIFICATE-----"
        value={typed.certificates}
        onChange={(certificates) => change({ certificates })}
      />
      <Text
        rows={2}
        label="Address pools"
        hint="One to a line: new networks get a /24 out of the first with 10.10.0.0/16:24. Empty: 172.18.0.0/16 and so on."
        placeholder="10.10.0.0/16:24"
        value={typed.addressPools}
        onChange={(addressPools) => change({ addressPools })}
      />
      <p className="quiet">The engine learns these when it starts: after a change it has to be restarted.</p>
    </SettingsForm>
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
          <Text
            label="For https"
            placeholder="http://proxy.example:3128"
            value={typed.httpsProxy}
            onChange={(httpsProxy) => onChange({ httpsProxy })}
          />
          <Text
            label="For http"
            placeholder="http://proxy.example:3128"
            value={typed.httpProxy}
            onChange={(httpProxy) => onChange({ httpProxy })}
          />
          <Text
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
  /** Undefined: one, which cannot be more. */
  readonly rows?: number;
  readonly onChange: (value: string) => void;
}

function Text({ label, hint, rows, onChange, ...shown }: TextProps) {
  return (
    <Field label={label} hint={hint}>
      {(props) => {
        const all = {
          ...{ ...props, ...shown, className: 'input mono', spellCheck: false, autoComplete: 'off' },
          onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => onChange(event.target.value),
        };
        return rows === undefined ? <input {...all} /> : <textarea rows={rows} {...all} />;
      }}
    </Field>
  );
}

function typedFrom(network: Network): Typed {
  return {
    ...network,
    insecureRegistries: network.insecureRegistries.join('\n'),
    registryMirrors: network.registryMirrors.join('\n'),
    addressPools: network.addressPools.join('\n'),
  };
}

function networkFrom(typed: Typed): Network {
  return {
    ...typed,
    insecureRegistries: linesOf(typed.insecureRegistries),
    registryMirrors: linesOf(typed.registryMirrors),
    addressPools: linesOf(typed.addressPools),
  };
}

function linesOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((line) => line !== '');
}
