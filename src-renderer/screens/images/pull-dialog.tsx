import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { CircleCheck, Download, Play } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatDuration, shortId } from '../../format/quantities.ts';
import { closeDialog, openDialog } from '../../stores/dialogs.ts';
import { pullFraction, pullSpeed, sumBytes, type PullTotals } from '../../stores/pull-progress.ts';
import { cancelPull, startPull, usePulls, type Pull } from '../../stores/pulls.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { LayerBars } from './layer-bars.tsx';
import { checkReference } from './reference.ts';

/** Asks for a reference, or shows a pull that runs or ran. Closing it stops nothing. */
export function PullDialog({ dialog }: { dialog: { readonly reference?: string; readonly pullId?: number } }) {
  const pull = usePulls((state) => state.pulls.find(({ id }) => id === dialog.pullId));
  if (pull) return <PullView pull={pull} />;
  return <PullForm reference={dialog.reference ?? ''} />;
}

function PullForm({ reference: given }: { reference: string }) {
  const [text, setText] = useState(given);
  const [touched, setTouched] = useState(false);
  const ready = useEngineReady();
  const input = useRef<HTMLInputElement>(null);
  const reference = text.trim();
  const problem = checkReference(reference);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTouched(true);
    if (problem !== undefined) input.current?.focus();
    else openDialog({ kind: 'pull', pullId: startPull(reference) });
  };
  return (
    <Dialog title="Pull an image" onClose={closeDialog}>
      <form onSubmit={submit} className="stack" noValidate>
        <Field
          label="Image"
          hint="A name on Docker Hub, or with its registry in front. Without a tag, latest is pulled."
          {...(touched && problem !== undefined ? { problem } : {})}
        >
          {(props) => (
            <input
              {...props}
              ref={input}
              className="input mono"
              placeholder="nginx:1.29"
              value={text}
              spellCheck={false}
              autoComplete="off"
              autoCapitalize="none"
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" icon={Download} disabled={!ready}>
            Pull
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const titles = { running: 'Pulling', done: 'Pulled', failed: 'Could not pull', cancelled: 'Cancelled' };

function PullView({ pull }: { pull: Pull }) {
  const { totals, state } = pull;
  const fraction = pullFraction(totals);
  const bar = state === 'done' ? 'bar good' : state === 'failed' ? 'bar bad' : 'bar';
  return (
    <Dialog
      title={titles[state]}
      description={<Outside text={pull.reference} className="mono" />}
      onClose={closeDialog}
      wide
      footer={<PullActions pull={pull} />}
    >
      {state === 'failed' && pull.error ? (
        <Notice tone="bad">
          <p>{pull.error.message}</p>
          {pull.error.hint === undefined ? null : <p>{pull.error.hint}</p>}
        </Notice>
      ) : null}
      <div className="pull-total">
        <div
          className={state === 'running' && fraction === undefined ? 'bar busy' : bar}
          role="progressbar"
          aria-label="Whole image"
          aria-valuemin={0}
          aria-valuemax={100}
          {...(fraction === undefined ? {} : { 'aria-valuenow': Math.floor(fraction * 100) })}
        >
          <span style={{ transform: `scaleX(${state === 'done' ? 1 : (fraction ?? 0)})` }} />
        </div>
        <p className="quiet">
          <span>{totalsText(totals, pull)}</span>
          <span>{state === 'running' && fraction !== undefined ? `${Math.floor(fraction * 100)} %` : ''}</span>
        </p>
      </div>
      <LayerBars totals={totals} />
    </Dialog>
  );
}

function totalsText(totals: PullTotals, pull: Pull): string {
  const { downloaded, size } = sumBytes(totals.layers);
  if (pull.state === 'done') {
    const took = formatDuration((pull.endedAtMs ?? pull.startedAtMs) - pull.startedAtMs);
    const digest = totals.digest === '' ? '' : ` · ${shortId(totals.digest)}`;
    return downloaded === 0 ? `Already up to date${digest}` : `${formatBytes(downloaded)} in ${took}${digest}`;
  }
  if (totals.layers.size === 0) return pull.state === 'running' ? 'Asking the registry' : '';
  const speed = pullSpeed(totals);
  const amounts = `${formatBytes(downloaded)} of ${formatBytes(size)}`;
  return pull.state === 'running' && speed !== undefined ? `${amounts} · ${formatBytes(speed)}/s` : amounts;
}

function PullActions({ pull }: { pull: Pull }) {
  const retry = () => openDialog({ kind: 'pull', pullId: startPull(pull.reference) });
  const done = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (pull.state === 'done') done.current?.focus();
  }, [pull.state]);
  switch (pull.state) {
    case 'running':
      return (
        <>
          <Button tone="ghost" onClick={() => cancelPull(pull.id)}>
            Cancel the pull
          </Button>
          <span className="spacer" />
          <Button onClick={closeDialog}>Go on in the background</Button>
        </>
      );
    case 'done':
      return (
        <>
          <span className="state good">
            <CircleCheck className="icon" aria-hidden /> Complete and verified
          </span>
          <span className="spacer" />
          <Button onClick={closeDialog}>Close</Button>
          <Button
            tone="primary"
            icon={Play}
            ref={done}
            onClick={() => openDialog({ kind: 'run', image: pull.reference })}
          >
            Run
          </Button>
        </>
      );
    case 'failed':
    case 'cancelled':
      return (
        <>
          <Button onClick={() => openDialog({ kind: 'pull', reference: pull.reference })}>Change the name</Button>
          <Button tone="primary" onClick={retry}>
            Try again
          </Button>
        </>
      );
  }
}
