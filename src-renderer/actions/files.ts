/** Files out of and into a container or a volume. */
import type { FilePlace } from '../../src-main/contract/files.ts';
import { host } from '../bridge.ts';
import { errorText } from '../stores/follow-stream.ts';
import { showToast } from '../stores/toasts.ts';
import { saveBlob } from './links.ts';
import { receiveFile, sendFile } from './transfers.ts';

/** What goes wrong is told with the task, unless there is none. */
export function downloadFile(place: FilePlace, path: string, kind: 'file' | 'archive'): void {
  const name = path.split('/').at(-1) || 'root';
  receiveFile(host.open('files.download', { place, path })).then(
    (file) => saveBlob(file, kind === 'file' ? name : `${name}.tar`),
    () => undefined,
  );
}

/** One after the other, so that a folder of files does not hold everything else up. Resolves when all are there or told. */
export async function uploadFiles(place: FilePlace, folder: string, files: readonly File[]): Promise<void> {
  for (const file of files) {
    let begun = false;
    const stream = host.open('files.upload', { place, folder, name: file.name, sizeBytes: file.size });
    await sendFile(stream, file, () => (begun = true)).catch((error: unknown) => {
      if (!begun) showToast({ tone: 'bad', title: `Could not upload ${file.name}`, detail: errorText(error) });
    });
  }
}
