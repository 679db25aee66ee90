import { useEffect, useState } from 'react';
import { Download } from 'lucide-react';
import type { FileText } from '../../../src-main/contract/files.ts';
import { downloadFile } from '../../actions/files.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes } from '../../format/quantities.ts';
import { visibleLine, visibleText } from '../../format/unsafe-text.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';

interface FileDialogProps {
  readonly id: string;
  readonly path: string;
  /** It may be a link to a folder. */
  readonly onFolder: (path: string) => void;
}

/** The beginning of a file as text. A link is followed: to a folder, it goes there. */
export function FileDialog({ id, path, onFolder }: FileDialogProps) {
  const { file, problem } = useFile(id, path, onFolder);
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
          <Button onClick={closeDialog}>Close</Button>
          <Button tone="primary" icon={Download} onClick={() => downloadFile(id, path, 'file')}>
            Download
          </Button>
        </>
      }
    >
      {problem === undefined ? null : (
        <Notice tone="bad">
          <p className="wrapped">{problem}</p>
        </Notice>
      )}
      {file === undefined ? null : file.isText ? (
        <pre className="file-text">{file.text.split('\n').map(visibleLine).join('\n')}</pre>
      ) : (
        <p className="quiet">This is no text. Download it to look at it.</p>
      )}
    </Dialog>
  );
}

function sizeOf({ sizeBytes, more, isText }: FileText): string {
  return more && isText ? `The beginning of ${formatBytes(sizeBytes)}` : formatBytes(sizeBytes);
}

function useFile(
  id: string,
  path: string,
  onFolder: (path: string) => void,
): { readonly file?: FileText; readonly problem?: string } {
  const [state, setState] = useState<{ readonly file?: FileText; readonly problem?: string }>({});
  useEffect(() => {
    const abort = new AbortController();
    const tell = (error: unknown) => {
      if (!abort.signal.aborted) setState({ problem: errorText(error) });
    };
    host.call('files.read', { id, path }, abort.signal).then(
      (file) => setState({ file }),
      (error: unknown) =>
        host.call('files.list', { id, path }, abort.signal).then(
          () => {
            closeDialog();
            onFolder(path);
          },
          () => tell(error),
        ),
    );
    return () => abort.abort();
  }, [id, path, onFolder]);
  return state;
}
