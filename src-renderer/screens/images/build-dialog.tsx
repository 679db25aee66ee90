import { useEffect, useId, useMemo, useRef, useState, type SubmitEvent } from 'react';
import { FolderOpen, Hammer } from 'lucide-react';
import { startBuild } from '../../actions/images.ts';
import { contextFiles, type ContextFile, type PackedContext } from '../../build-context/pack-context.ts';
import { packInWorker } from '../../build-context/pack-in-worker.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { CheckField, Field } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatCount } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, openDialog } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { BuildView } from './build-view.tsx';
import { checkReference } from './reference.ts';
import type { VariableRow } from './run-form.ts';
import { VariableRows } from './run-rows.tsx';
import { useTask, WaitingDialog } from './transfer-view.tsx';

/** Asks for a folder and a name, or shows a build that runs or ran. */
export function BuildDialog({ dialog: { taskId } }: { dialog: { readonly taskId?: string } }) {
  const task = useTask(taskId);
  if (task) return <BuildView task={task} />;
  return taskId === undefined ? <BuildForm /> : <WaitingDialog title="Building" />;
}

interface Folder {
  readonly name: string;
  readonly files: readonly ContextFile[];
}

/** What was asked for last: who builds once more changes a file, not the name. The folder is to be chosen anew, since a browser gives up what has changed. */
let lastWanted = { reference: '', dockerfile: 'Dockerfile', target: '' };

function BuildForm() {
  const [folder, setFolder] = useState<Folder>();
  const [wanted, setWanted] = useState(lastWanted);
  const [rows, setRows] = useState<readonly VariableRow[]>([]);
  const [noCache, setNoCache] = useState(false);
  const [pull, setPull] = useState(false);
  const [touched, setTouched] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const formId = useId();
  const ready = useEngineReady();
  const dockerfile = wanted.dockerfile.trim().replace(/^\.?\/+/, '') || 'Dockerfile';
  const { packed, problem: packing } = usePacked(folder, dockerfile);
  const problems = useMemo(() => problemsOf(folder, wanted.reference.trim(), dockerfile), [folder, wanted, dockerfile]);
  const change = (values: Partial<typeof wanted>) => setWanted((before) => ({ ...before, ...values }));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTouched(true);
    if (Object.values(problems).some((problem) => problem !== undefined) || !packed) return;
    setBusy(true);
    lastWanted = wanted;
    const values = rows
      .filter(({ name }) => name.trim() !== '')
      .map(({ name, value }) => [name.trim(), value] as const);
    const { reference, target } = wanted;
    const request = { reference: reference.trim(), dockerfile, target: target.trim(), noCache, pull };
    startBuild({ ...request, arguments: Object.fromEntries(values) }, packed.archive)
      .then((taskId) => openDialog({ kind: 'build', taskId }))
      .catch((error: unknown) => setRefusal(errorText(error)))
      .finally(() => setBusy(false));
  };
  const told = (problem: string | undefined) => (touched && problem !== undefined ? { problem } : {});
  return (
    <Dialog
      title="Build an image"
      wide
      onClose={closeDialog}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" form={formId} icon={Hammer} disabled={!ready} busy={busy}>
            Build
          </Button>
        </>
      }
    >
      <form id={formId} className="stack run-form" onSubmit={submit} noValidate>
        {refusal === undefined ? null : (
          <Notice tone="bad">
            <p>{refusal}</p>
          </Notice>
        )}
        <FolderField folder={folder} packed={packed} onChoose={setFolder} {...told(problems.folder ?? packing)} />
        <Field label="Name" hint="Without a tag, latest is meant. It may be left empty." {...told(problems.reference)}>
          {(props) => (
            <input
              {...props}
              className="input mono"
              placeholder="team/app:1.0"
              value={wanted.reference}
              spellCheck={false}
              autoComplete="off"
              autoCapitalize="none"
              onChange={(event) => change({ reference: event.target.value })}
            />
          )}
        </Field>
        <div className="two">
          <Field label="Dockerfile" hint="Its path in the folder." {...told(problems.dockerfile)}>
            {(props) => (
              <input
                {...props}
                className="input mono"
                value={wanted.dockerfile}
                spellCheck={false}
                onChange={(event) => change({ dockerfile: event.target.value })}
              />
            )}
          </Field>
          <Field label="Stage" hint="Empty: the last one.">
            {(props) => (
              <input
                {...props}
                className="input mono"
                value={wanted.target}
                spellCheck={false}
                onChange={(event) => change({ target: event.target.value })}
              />
            )}
          </Field>
        </div>
        <VariableRows legend="Build arguments" add="Add an argument" rows={rows} problems={{}} onChange={setRows} />
        <CheckField label="Pull the base images anew" checked={pull} onChange={setPull} />
        <CheckField label="Use no cache" hint="Every step runs again." checked={noCache} onChange={setNoCache} />
      </form>
    </Dialog>
  );
}

function problemsOf(folder: Folder | undefined, reference: string, dockerfile: string) {
  const has = folder?.files.some(({ path }) => path === dockerfile) ?? true;
  return {
    folder: folder === undefined ? 'Choose the folder to build from.' : undefined,
    reference: reference === '' ? undefined : checkReference(reference),
    dockerfile: has ? undefined : `There is no ${visibleText(dockerfile, 80)} in the folder.`,
  };
}

interface FolderFieldProps {
  readonly folder: Folder | undefined;
  readonly packed: PackedContext | undefined;
  readonly problem?: string;
  readonly onChoose: (folder: Folder) => void;
}

function FolderField({ folder, packed, problem, onChoose }: FolderFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // React does not know the attribute.
    input.current?.setAttribute('webkitdirectory', '');
  }, []);
  return (
    <Field
      label="Folder"
      hint="Links and empty folders do not come along, and every file may be executed: browsers do not tell."
      {...(problem === undefined ? {} : { problem })}
    >
      {(props) => (
        <div className="chooser">
          <input
            {...props}
            ref={input}
            type="file"
            className="hidden-input"
            tabIndex={-1}
            onChange={({ target }) => {
              const { folder: name, files } = contextFiles(target.files ?? []);
              if (files.length > 0) onChoose({ name, files });
              // The same folder once more is a change again.
              target.value = '';
            }}
          />
          <Button icon={FolderOpen} onClick={() => input.current?.click()}>
            {folder === undefined ? 'Choose a folder' : 'Choose another'}
          </Button>
          {folder === undefined ? null : <Outside text={folder.name} className="strong" />}
          {packed === undefined ? null : <span className="quiet">{packedSummary(packed)}</span>}
        </div>
      )}
    </Field>
  );
}

function packedSummary({ files, sizeBytes, leftOut }: PackedContext): string {
  const sent = `${formatCount(files, 'file')}, ${formatBytes(sizeBytes)}`;
  return leftOut === 0 ? sent : `${sent}; ${formatCount(leftOut, 'file')} left out by .dockerignore`;
}

function usePacked(
  folder: Folder | undefined,
  dockerfile: string,
): { readonly packed?: PackedContext; readonly problem?: string } {
  const [state, setState] = useState<{ readonly packed?: PackedContext; readonly problem?: string }>({});
  useEffect(() => {
    if (!folder) return;
    const abort = new AbortController();
    packInWorker({ files: folder.files, dockerfile }, abort.signal).then(
      (packed) => setState({ packed }),
      (error: unknown) => setState({ problem: errorText(error) }),
    );
    return () => abort.abort();
  }, [folder, dockerfile]);
  return folder === undefined ? {} : state;
}
