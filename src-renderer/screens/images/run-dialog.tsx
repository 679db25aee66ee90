import { useEffect, useId, useRef, useState, type SubmitEvent } from 'react';
import { Download, Play } from 'lucide-react';
import { toErrorView, type ErrorView } from '../../../src-main/contract/errors.ts';
import type { ImageDetails } from '../../../src-main/contract/engine.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { CheckField, Field } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { closeDialog, dialogCloser, openDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { useImages } from '../../stores/objects.ts';
import { showToast } from '../../stores/toasts.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { LimitFields } from './limit-fields.tsx';
import { emptyForm, findProblems, prefill, toRequest, type RunForm } from './run-form.ts';
import { NetworkField } from './network-field.tsx';
import { PortRows, VariableRows } from './run-rows.tsx';
import { joinWords } from './split-words.ts';
import { VolumeRows } from './volume-rows.tsx';

/** Everything a container can be started with; what the image declares is filled in. */
export function RunDialog({ image = '' }: { image?: string }) {
  const [form, setForm] = useState<RunForm>(() => emptyForm(image));
  const details = useDetails(form.image.trim(), (found) => setForm((before) => prefill(before, found)));
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ErrorView>();
  const ready = useEngineReady();
  const body = useRef<HTMLFormElement>(null);
  const formId = useId();
  const problems = tried ? findProblems(form) : {};
  const change = (values: Partial<RunForm>) => setForm((before) => ({ ...before, ...values }));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    setFailure(undefined);
    if (Object.keys(findProblems(form)).length > 0) {
      requestAnimationFrame(() => body.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    const close = dialogCloser();
    setBusy(true);
    host
      .call('containers.run', toRequest(form))
      .then(({ id, warnings }) => {
        for (const warning of warnings) showToast({ tone: 'info', title: warning });
        close();
        navigate({ screen: 'container', id, tab: 'logs' });
      })
      .catch((error: unknown) => setFailure(toErrorView(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      title="Run a container"
      wide
      onClose={closeDialog}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" form={formId} icon={Play} busy={busy} disabled={!ready}>
            Run
          </Button>
        </>
      }
    >
      <form id={formId} ref={body} className="run-form" onSubmit={submit} noValidate>
        {failure ? <RunFailure failure={failure} image={form.image.trim()} /> : null}
        <Basics form={form} change={change} problems={problems} details={details} />
        <NetworkField value={form.network} onChange={(network) => change({ network })} />
        <PortRows rows={form.ports} problems={problems} onChange={(ports) => change({ ports })} />
        <VolumeRows rows={form.volumes} problems={problems} onChange={(volumes) => change({ volumes })} />
        <VariableRows rows={form.variables} problems={problems} onChange={(variables) => change({ variables })} />
        <LimitFields form={form} change={change} problems={problems} />
        <fieldset>
          <CheckField
            label="Terminal"
            hint="Gives the main process a tty: for shells and programs that draw."
            checked={form.tty}
            onChange={(tty) => change({ tty })}
          />
          <CheckField
            label="Remove when stopped"
            hint="For one-off commands; its files and logs go with it."
            checked={form.remove}
            onChange={(remove) => change({ remove })}
          />
        </fieldset>
      </form>
    </Dialog>
  );
}

interface PartProps {
  readonly form: RunForm;
  readonly change: (values: Partial<RunForm>) => void;
  readonly problems: Readonly<Record<string, string>>;
}

function Basics({ form, change, problems, details }: PartProps & { details: ImageDetails | undefined }) {
  const images = useImages((state) => state.value);
  const list = useId();
  const own = details ? joinWords(details.command) : '';
  return (
    <fieldset>
      <div className="pair">
        <Field label="Image" {...problem(problems, 'image')}>
          {(props) => (
            <>
              <input
                {...props}
                className="input mono"
                list={list}
                value={form.image}
                placeholder="nginx:1.29"
                spellCheck={false}
                autoComplete="off"
                onChange={(event) => change({ image: event.target.value })}
              />
              <datalist id={list}>
                {(images ?? []).flatMap(({ tags }) => tags.map((tag) => <option key={tag} value={tag} />))}
              </datalist>
            </>
          )}
        </Field>
        <Field label="Name" {...problem(problems, 'name')}>
          {(props) => (
            <input
              {...props}
              className="input"
              value={form.name}
              placeholder="Chosen for you"
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => change({ name: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Field label="Command" {...problem(problems, 'command')}>
        {(props) => (
          <input
            {...props}
            className="input mono"
            value={form.command}
            placeholder={own === '' ? 'The image’s own' : own}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => change({ command: event.target.value })}
          />
        )}
      </Field>
    </fieldset>
  );
}

/** The next step beside the error: an image that is not here can be pulled. */
function RunFailure({ failure, image }: { failure: ErrorView; image: string }) {
  const missing = failure.code === 'not-found' || failure.code === 'image-missing';
  return (
    <Notice
      tone="bad"
      action={
        missing ? (
          <Button small icon={Download} onClick={() => openDialog({ kind: 'pull', reference: image })}>
            Pull it
          </Button>
        ) : undefined
      }
    >
      <p>{failure.message}</p>
      {failure.hint === undefined ? null : <p>{failure.hint}</p>}
    </Notice>
  );
}

function problem(problems: Readonly<Record<string, string>>, field: string): { problem?: string } {
  const text = problems[field];
  return text === undefined ? {} : { problem: text };
}

/** Inspects the image once its name is one that is here. */
function useDetails(image: string, onFound: (details: ImageDetails) => void): ImageDetails | undefined {
  const here = useImages((state) => state.value?.some(({ id, tags }) => id === image || tags.includes(image)) ?? false);
  const [details, setDetails] = useState<ImageDetails>();
  const found = useRef(onFound);
  useEffect(() => {
    found.current = onFound;
  });
  useEffect(() => {
    if (!here) {
      setDetails(undefined);
      return;
    }
    const abort = new AbortController();
    host.call('images.inspect', { id: image }, abort.signal).then(
      (view) => {
        setDetails(view);
        found.current(view);
      },
      // The form works without what the image declares; running it will say what is wrong.
      () => setDetails(undefined),
    );
    return () => abort.abort();
  }, [here, image]);
  return details;
}
