import { useState, type SubmitEvent } from 'react';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { useContainers, useNetworks } from '../../stores/objects.ts';
import { showToast } from '../../stores/toasts.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { candidatesFor, isUp } from './network-use.ts';

/** One more container on a network, under its own name and others if wanted. */
export function ConnectDialog({ id }: { id: string }) {
  const network = useNetworks((state) => state.value?.find((view) => view.id === id));
  const containers = useContainers((state) => state.value) ?? [];
  const candidates = network === undefined ? [] : candidatesFor(network, containers);
  const [wanted, setWanted] = useState<string>();
  const [aliases, setAliases] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const ready = useEngineReady();
  const chosen = candidates.find((candidate) => candidate.id === wanted) ?? candidates[0];
  if (network === undefined) return null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!chosen) return;
    const close = dialogCloser();
    setBusy(true);
    setProblem(undefined);
    host
      .call('networks.connect', {
        id,
        containerId: chosen.id,
        aliases: aliases.split(/[\s,]+/).filter((alias) => alias !== ''),
      })
      .then(() => {
        close();
        const when = isUp(chosen) ? '' : ' when it starts';
        const [who, where] = [visibleText(chosen.name, 60), visibleText(network.name, 60)];
        showToast({ tone: 'good', title: `Connected ${who} to ${where}${when}` });
      })
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title="Connect a container" description={<Outside text={network.name} />} onClose={closeDialog}>
      <form className="stack" onSubmit={submit} noValidate>
        {problem === undefined ? null : (
          <Notice tone="bad">
            <p>{problem}</p>
          </Notice>
        )}
        {chosen === undefined ? <p>Every container is on it already.</p> : null}
        <Field
          label="Container"
          {...(chosen === undefined || isUp(chosen) ? {} : { hint: 'It does not run: it joins when it starts.' })}
        >
          {(props) => (
            <select
              {...props}
              className="select"
              value={chosen?.id ?? ''}
              disabled={chosen === undefined}
              onChange={(event) => setWanted(event.target.value)}
            >
              {candidates.map((candidate) => (
                <option key={candidate.id} value={candidate.id}>
                  {visibleText(candidate.name, 80)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Other names" hint="The others find it by its own name and by these, apart by spaces.">
          {(props) => (
            <input
              {...props}
              className="input mono"
              value={aliases}
              placeholder="db database"
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => setAliases(event.target.value)}
            />
          )}
        </Field>
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" busy={busy} disabled={!ready || chosen === undefined}>
            Connect
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
