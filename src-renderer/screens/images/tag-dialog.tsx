import { useState, type SubmitEvent } from 'react';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Outside } from '../../components/text.tsx';
import { shortId } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { useImages } from '../../stores/objects.ts';
import { showToast } from '../../stores/toasts.ts';
import { checkReference } from './reference.ts';

/** One more name for an image; a name that another image has moves over. */
export function TagDialog({ id }: { id: string }) {
  const images = useImages((state) => state.value);
  const image = images?.find((view) => view.id === id);
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const wanted = name.trim();
  const full = /:[^/]*$/.test(wanted) ? wanted : `${wanted}:latest`;
  const owner = images?.find((view) => view.id !== id && view.tags.includes(full));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = checkReference(wanted);
    setProblem(wrong);
    if (wrong !== undefined) return;
    const close = dialogCloser();
    setBusy(true);
    host
      .call('images.tag', { id, reference: wanted })
      .then(() => {
        showToast({ tone: 'good', title: `Tagged as ${visibleText(full, 80)}` });
        close();
      })
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      title="Add a name"
      description={<Outside text={image?.tags[0] ?? shortId(id)} className="mono" />}
      onClose={closeDialog}
    >
      <form className="stack" onSubmit={submit} noValidate>
        <Field
          label="New name"
          hint={
            owner === undefined
              ? 'With a registry in front where it is to be pushed. Without a tag, latest is meant.'
              : 'Another image has this name and loses it.'
          }
          {...(problem === undefined ? {} : { problem })}
        >
          {(props) => (
            <input
              {...props}
              className="input mono"
              value={name}
              placeholder="registry.example:5000/team/app:1.0"
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => {
                setName(event.target.value);
                setProblem(undefined);
              }}
            />
          )}
        </Field>
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" busy={busy}>
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
