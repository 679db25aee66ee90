import { useEffect, useState } from 'react';
import { Download, Pencil } from 'lucide-react';
import type { FilePlace, FileText } from '../../../src-main/contract/files.ts';
import { downloadFile } from '../../actions/files.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes } from '../../format/quantities.ts';
import { visibleLine, visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { showToast } from '../../stores/toasts.ts';
import { useEngineReady } from '../../stores/vm.ts';

interface FileDialogProps {
  readonly place: FilePlace;
  readonly path: string;
  /** It may be a link to a folder. */
  readonly onFolder: (path: string) => void;
  /** Its folder tells of a new size. */
  readonly onSaved: () => void;
}

/** The beginning of a file as text. A link is followed: to a folder, it goes there. */
export function FileDialog({ place, path, onFolder, onSaved }: FileDialogProps) {
  const { file, problem } = useFile(place, path, onFolder);
  const [draft, setDraft] = useState<string>();
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const ready = useEngineReady();
  const save = (text: string) => {
    const close = dialogCloser();
    setBusy(true);
    host
      .call('files.write', { place, path, before: file?.text ?? '', text })
      .then(() => {
        showToast({ tone: 'good', title: `Saved ${visibleText(path.split('/').at(-1) ?? path, 60)}` });
        onSaved();
        close();
      })
      .catch((error: unknown) => setRefusal(errorText(error)))
      .finally(() => setBusy(false));
  };
  const failure = refusal ?? problem;
  return (
    <Dialog
      title={visibleText(path.split('/').at(-1) ?? path, 80)}
      description={<Outside text={path} className="mono" />}
      onClose={closeDialog}
      wide
      reading
      footer={
        <>
          <span className="quiet">{file === undefined ? '' : sizeOf(file)}</span>
          <span className="spacer" />
          {draft === undefined ? (
            <>
              <Button onClick={closeDialog}>Close</Button>
              {file !== undefined && canEdit(file) ? (
                <Button icon={Pencil} disabled={!ready} onClick={() => setDraft(file.text)}>
                  Edit
                </Button>
              ) : null}
              <Button tone="primary" icon={Download} onClick={() => downloadFile(place, path, 'file')}>
                Download
              </Button>
            </>
          ) : (
            <>
              <Button onClick={() => setDraft(undefined)}>Cancel</Button>
              <Button tone="primary" busy={busy} disabled={!ready || draft === file?.text} onClick={() => save(draft)}>
                Save
              </Button>
            </>
          )}
        </>
      }
    >
      {failure === undefined ? null : (
        <Notice tone="bad">
          <p className="wrapped">{failure}</p>
        </Notice>
      )}
      {draft !== undefined ? (
        <textarea
          className="input file-draft"
          aria-label="Text of the file"
          value={draft}
          spellCheck={false}
          onChange={(event) => setDraft(event.target.value)}
        />
      ) : file === undefined ? null : file.isText ? (
        <pre className="file-text">{file.text.split('\n').map(visibleLine).join('\n')}</pre>
      ) : (
        <p className="quiet">This is no text. Download it to look at it.</p>
      )}
    </Dialog>
  );
}

/** All of it is here, and a text field keeps it as it is: one would make other ends of lines of these. */
function canEdit({ isText, more, text }: FileText): boolean {
  return isText && !more && !text.includes('\r');
}

function sizeOf({ sizeBytes, more, isText }: FileText): string {
  return more && isText ? `The beginning of ${formatBytes(sizeBytes)}` : formatBytes(sizeBytes);
}

function useFile(
  place: FilePlace,
  path: string,
  onFolder: (path: string) => void,
): { readonly file?: FileText; readonly problem?: string } {
  const [state, setState] = useState<{ readonly file?: FileText; readonly problem?: string }>({});
  useEffect(() => {
    const abort = new AbortController();
    const tell = (error: unknown) => {
      if (!abort.signal.aborted) setState({ problem: errorText(error) });
    };
    host.call('files.read', { place, path }, abort.signal).then(
      (file) => setState({ file }),
      (error: unknown) =>
        host.call('files.list', { place, path }, abort.signal).then(
          () => {
            closeDialog();
            onFolder(path);
          },
          () => tell(error),
        ),
    );
    return () => abort.abort();
  }, [place, path, onFolder]);
  return state;
}
