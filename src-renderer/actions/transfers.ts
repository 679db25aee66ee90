/** Files to and from the host, in pieces at the other end's pace. */
import {
  pieceBytes,
  piecesAhead,
  type DownloadItem,
  type UploadItem,
  type UploadMessage,
} from '../../src-main/contract/transfers.ts';
import { AppError } from '../../src-main/contract/errors.ts';

interface Sending extends AsyncIterable<UploadItem> {
  send(message: UploadMessage): void;
  close(): void;
}

/**
 * Sends all of it. Resolves early, too, when the host wants no more: the task tells why.
 * @param onTask told which task it is, once it has begun
 */
export async function sendFile(stream: Sending, file: Blob, onTask: (taskId: string) => void): Promise<void> {
  let sent = 0;
  let ahead = 0;
  const fill = async () => {
    while (ahead < piecesAhead && sent < file.size) {
      const data = await asBase64(file.slice(sent, sent + pieceBytes));
      sent += pieceBytes;
      ahead += 1;
      stream.send({ data });
      if (sent >= file.size) stream.send({ end: true });
    }
  };
  try {
    for await (const item of stream) {
      if ('taken' in item) ahead -= item.taken;
      else {
        onTask(item.taskId);
        if (file.size === 0) stream.send({ end: true });
      }
      await fill();
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    // The browser says so when a file was changed or removed after it was chosen.
    throw new AppError('invalid-input', `read the files: ${error instanceof Error ? error.message : String(error)}`, {
      hint: 'A file may have changed meanwhile; choose it again.',
      cause: error,
    });
  } finally {
    stream.close();
  }
}

/** What is gathered before it goes to the browser's own store, which takes it off this page's memory. */
const gatheredPieces = 64;

/** Takes all of it. */
export async function receiveFile(stream: AsyncIterable<DownloadItem>): Promise<Blob> {
  const stored: Blob[] = [];
  let gathered: Uint8Array<ArrayBuffer>[] = [];
  for await (const item of stream) {
    if ('taskId' in item) continue;
    gathered.push(fromBase64(item.data));
    if (gathered.length < gatheredPieces) continue;
    stored.push(new Blob(gathered));
    gathered = [];
  }
  return new Blob([...stored, ...gathered]);
}

/** The browser does it off the page's thread. */
function asBase64(piece: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const url = typeof reader.result === 'string' ? reader.result : '';
      resolve(url.slice(url.indexOf(',') + 1));
    };
    reader.onerror = () => reject(reader.error ?? new Error('a file cannot be read'));
    reader.readAsDataURL(piece);
  });
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
