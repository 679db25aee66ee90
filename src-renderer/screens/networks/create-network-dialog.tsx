import { useState, type SubmitEvent } from 'react';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { CheckField, Field } from '../../components/field.tsx';
import { LabelRows, labelsOf, type LabelRow } from '../../components/label-rows.tsx';
import { Notice } from '../../components/notice.tsx';
import { errorText } from '../../stores/follow-stream.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { checkGateway, checkNetworkName, checkSubnet, checkSubnet6 } from './network-request.ts';

type Texts = Readonly<Record<'name' | 'subnet' | 'gateway' | 'subnet6', string>>;

export function CreateNetworkDialog() {
  const [typed, setTyped] = useState<Texts>({ name: '', subnet: '', gateway: '', subnet6: '' });
  const [ipv6, setIpv6] = useState(false);
  const [internal, setInternal] = useState(false);
  const [labels, setLabels] = useState<readonly LabelRow[]>([]);
  const [touched, setTouched] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const ready = useEngineReady();
  const texts = {
    name: typed.name.trim(),
    subnet: typed.subnet.trim(),
    gateway: typed.gateway.trim(),
    subnet6: ipv6 ? typed.subnet6.trim() : '',
  };
  const problems = problemsOf(texts);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTouched(true);
    if (Object.values(problems).some((problem) => problem !== undefined)) return;
    const close = dialogCloser();
    setBusy(true);
    setRefusal(undefined);
    host
      .call('networks.create', { ...texts, internal, ipv6, labels: labelsOf(labels) })
      .then(({ id }) => {
        close();
        navigate({ screen: 'network', id });
      })
      .catch((error: unknown) => setRefusal(errorText(error)))
      .finally(() => setBusy(false));
  };
  const field = (key: keyof Texts, label: string, placeholder: string, hint?: string) => (
    <Field
      label={label}
      {...(hint === undefined ? {} : { hint })}
      {...(touched && problems[key] !== undefined ? { problem: problems[key] } : {})}
    >
      {(props) => (
        <input
          {...props}
          className={key === 'name' ? 'input' : 'input mono'}
          value={typed[key]}
          placeholder={placeholder}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setTyped({ ...typed, [key]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <Dialog title="Create a network" onClose={closeDialog}>
      <form className="stack" onSubmit={submit} noValidate>
        {refusal === undefined ? null : (
          <Notice tone="bad">
            <p>{refusal}</p>
          </Notice>
        )}
        {field('name', 'Name', 'shop')}
        {field('subnet', 'Subnet', '172.30.0.0/16', 'Empty: the engine chooses a free one.')}
        {field('gateway', 'Gateway', '172.30.0.1', 'Empty: the first address of the subnet.')}
        <CheckField label="IPv6" hint="Its containers get IPv6 addresses too." checked={ipv6} onChange={setIpv6} />
        {ipv6 ? field('subnet6', 'IPv6 subnet', 'fd00:30::/64', 'Empty: the engine chooses a free one.') : null}
        <CheckField
          label="Internal"
          hint="Containers on it reach each other and nothing outside."
          checked={internal}
          onChange={setInternal}
        />
        <LabelRows rows={labels} onChange={setLabels} />
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" busy={busy} disabled={!ready}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function problemsOf({ name, subnet, gateway, subnet6 }: Texts): Readonly<Record<keyof Texts, string | undefined>> {
  return {
    name: checkNetworkName(name),
    subnet: checkSubnet(subnet),
    gateway: checkGateway(gateway, subnet),
    subnet6: checkSubnet6(subnet6),
  };
}
