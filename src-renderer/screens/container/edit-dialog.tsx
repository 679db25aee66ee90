import { useEffect, useId, useState, type SubmitEvent } from 'react';
import { Check } from 'lucide-react';
import type { ContainerDetails, ImageDetails } from '../../../src-main/contract/engine.ts';
import { toErrorView, type ErrorView } from '../../../src-main/contract/errors.ts';
import { editContainer } from '../../actions/edit-container.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { LimitFields } from '../images/limit-fields.tsx';
import { PortRows, VariableRows } from '../images/run-rows.tsx';
import { changesOf, editProblems, inPlace, toEdit, toForm, type Change, type EditForm } from './edit-form.ts';
import { MountRows } from './mount-rows.tsx';

/** Reads the container as it is now; the form then stays as typed, whatever happens to it meanwhile. */
export function EditDialog({ id }: { id: string }) {
  const [loaded, setLoaded] = useState<{
    readonly details: ContainerDetails;
    readonly image: ImageDetails | undefined;
  }>();
  const [failure, setFailure] = useState<ErrorView>();
  useEffect(() => {
    const abort = new AbortController();
    const load = async () => {
      const details = await host.call('containers.inspect', { id }, abort.signal);
      // An image that is gone tells nothing of what it declared; the container can be edited all the same.
      const image = await host.call('images.inspect', { id: details.imageId }, abort.signal).catch(() => undefined);
      setLoaded({ details, image });
    };
    load().catch((error: unknown) => {
      if (!abort.signal.aborted) setFailure(toErrorView(error));
    });
    return () => abort.abort();
  }, [id]);
  if (loaded) return <EditLoaded {...loaded} />;
  return (
    <Dialog title="Edit the container" wide onClose={closeDialog}>
      {failure ? <Failure failure={failure} /> : <p className="faint">Reading it…</p>}
    </Dialog>
  );
}

function EditLoaded({ details, image }: { details: ContainerDetails; image: ImageDetails | undefined }) {
  const before = details.editable;
  const [form, setForm] = useState<EditForm>(() => toForm(before, image?.environment ?? []));
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ErrorView>();
  const ready = useEngineReady();
  const formId = useId();
  const found = editProblems(form);
  const valid = Object.keys(found).length === 0;
  const problems = tried ? found : {};
  const after = valid ? toEdit(form, before) : before;
  const changes = changesOf(before, after);
  const change = (values: Partial<EditForm>) => setForm((typed) => ({ ...typed, ...values }));
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setTried(true);
    if (!valid) {
      const body = event.currentTarget;
      requestAnimationFrame(() => body.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    if (changes.length === 0) return;
    setBusy(true);
    setFailure(undefined);
    editContainer(details, after)
      .then(closeDialog, (error: unknown) => setFailure(toErrorView(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      title={`Edit ${visibleText(details.name, 60)}`}
      wide
      onClose={closeDialog}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button
            tone="primary"
            type="submit"
            form={formId}
            icon={Check}
            busy={busy}
            disabled={!ready || (valid && changes.length === 0)}
          >
            {inPlace(before, after) ? 'Apply' : 'Apply in a new container'}
          </Button>
        </>
      }
    >
      <form id={formId} className="run-form" onSubmit={submit} noValidate>
        {failure ? <Failure failure={failure} /> : null}
        <Field label="Command" {...(problems['command'] === undefined ? {} : { problem: problems['command'] })}>
          {(props) => (
            <input
              {...props}
              className="input mono"
              value={form.command}
              placeholder="The image’s own"
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => change({ command: event.target.value })}
            />
          )}
        </Field>
        <PortRows rows={form.ports} problems={problems} onChange={(ports) => change({ ports })} />
        <VariableRows rows={form.variables} problems={problems} onChange={(variables) => change({ variables })} />
        <MountRows rows={form.mounts} problems={problems} onChange={(mounts) => change({ mounts })} />
        <LimitFields form={form} change={change} problems={problems} />
        <Changes changes={changes} valid={valid} stays={inPlace(before, after)} running={details.state === 'running'} />
      </form>
    </Dialog>
  );
}

interface ChangesProps {
  readonly changes: readonly Change[];
  readonly valid: boolean;
  readonly stays: boolean;
  readonly running: boolean;
}

/** What would be different, and what that takes. */
function Changes({ changes, valid, stays, running }: ChangesProps) {
  return (
    <fieldset>
      <legend>Changes</legend>
      {changes.length === 0 ? (
        <p className="quiet">{valid ? 'None yet.' : 'Shown when all fields are right.'}</p>
      ) : null}
      {changes.length === 0 ? null : (
        <ul className="diff" aria-label="Changes">
          {changes.map(({ what, before, after }, index) => (
            <li key={index}>
              <span className="diff-what">{what}</span>
              <span className="diff-lines">
                {before === undefined ? null : <del>{visibleText(before, 400)}</del>}
                {after === undefined ? null : <ins>{visibleText(after, 400)}</ins>}
              </span>
            </li>
          ))}
        </ul>
      )}
      {changes.length === 0 ? null : (
        <p className="hint">
          {stays
            ? 'Takes effect at once; the container goes on as it is.'
            : `${running ? 'The container is stopped, and a' : 'A'} new one with its name, volumes and networks takes its place. The old one is kept, stopped, until you accept the new one or go back. Files written outside of volumes stay in the old one.`}
        </p>
      )}
    </fieldset>
  );
}

function Failure({ failure }: { failure: ErrorView }) {
  return (
    <Notice tone="bad">
      <p>{failure.message}</p>
      {failure.hint === undefined ? null : <p>{failure.hint}</p>}
    </Notice>
  );
}
