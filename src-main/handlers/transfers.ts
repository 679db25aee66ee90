/** Files between a window and the engine, as tasks that every window sees and may cancel. */
import { AppError } from '../contract/errors.ts';
import type { TaskKind } from '../contract/tasks.ts';
import { pieceBytes, type DownloadItem, type UploadItem, type UploadMessage } from '../contract/transfers.ts';
import { ByteMeter } from '../tasks/speed.ts';
import type { TaskProgress, Tasks, TaskWork } from '../tasks/tasks.ts';
import type { StreamContext } from './handlers.ts';
import { Upload } from './upload.ts';

type Report = (progress: TaskProgress) => void;

interface Subject {
  readonly kind: TaskKind;
  /** A file's or image's name. */
  readonly name: string;
  /** For errors: `load backup.tar`. */
  readonly attempt: string;
}

/** The bytes of an upload on their way, counted; `work` resolves to what came of it. */
type UploadWork = (
  bytes: AsyncIterable<Buffer>,
  report: Report,
  signal: AbortSignal,
  print: (text: string) => void,
) => Promise<void>;

/**
 * The task lives on when the window goes after the last piece; before that, it fails. The stream ends with the task, which
 * may be before all was sent: the task tells why.
 */
export async function* upload(
  tasks: Tasks,
  { kind, name, attempt }: Subject,
  sizeBytes: number,
  context: StreamContext<UploadMessage>,
  work: UploadWork,
): AsyncGenerator<UploadItem, void, undefined> {
  const sent = new Upload(attempt, context);
  const meter = new ByteMeter(sizeBytes);
  let tellEnd: (value?: unknown) => void = () => undefined;
  const ended = new Promise((resolve) => (tellEnd = resolve));
  context.signal.addEventListener('abort', tellEnd, { once: true });
  const run: TaskWork = async (report, signal, print) => {
    const counted = async function* (): AsyncGenerator<Buffer, void, undefined> {
      for await (const piece of sent) {
        report(meter.add(piece.length));
        yield piece;
      }
    };
    try {
      await work(counted(), report, signal, print);
      return meter.done;
    } catch (error) {
      // The request fails because the sending did, and would only say that it was cut.
      throw sent.failure ?? error;
    } finally {
      sent.close();
      tellEnd();
    }
  };
  yield { taskId: tasks.start(kind, name, run) };
  yield* sent.credits();
  await ended;
}

/** @param open gives the bytes, and how many there will be when that is known */
export async function* download(
  tasks: Tasks,
  { kind, name, attempt }: Subject,
  { signal: window }: Pick<StreamContext<never>, 'signal'>,
  open: (signal: AbortSignal) => Promise<{ readonly bytes: AsyncIterable<Buffer>; readonly total?: number }>,
): AsyncGenerator<DownloadItem, void, undefined> {
  const { task, report, signal, done, failed } = heldTask(tasks, kind, name);
  const both = AbortSignal.any([window, signal]);
  try {
    yield { taskId: task };
    const { bytes, total } = await open(both);
    const meter = new ByteMeter(total);
    for await (const piece of inPieces(bytes)) {
      if (both.aborted) break;
      report(meter.add(piece.length));
      yield { data: piece.toString('base64') };
    }
    if (both.aborted) throw new AppError('cancelled', `${attempt}: cancelled`);
    done(meter.done);
  } catch (error) {
    failed(error);
    throw error;
  } finally {
    failed(new AppError('cancelled', `${attempt}: the window that asked for it was closed`));
  }
}

/** A task whose work is done by whoever holds it. What is told of its end first stays. */
function heldTask(tasks: Tasks, kind: TaskKind, name: string) {
  let held: Parameters<TaskWork> | undefined;
  let done: (bytes: number) => void = () => undefined;
  let failed: (error: unknown) => void = () => undefined;
  const ended = new Promise<number>((resolve, reject) => {
    done = resolve;
    failed = reject;
  });
  const task = tasks.start(kind, name, (...given) => {
    held = given;
    return ended;
  });
  if (!held) throw new Error('a task begins its work at once');
  const [report, signal] = held;
  return { task, report, signal, done, failed };
}

/** All but the last are whole multiples of three bytes: as base64 they can be joined. */
async function* inPieces(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    waiting.push(chunk);
    length += chunk.length;
    if (length < pieceBytes) continue;
    const all = Buffer.concat(waiting);
    let at = 0;
    for (; all.length - at >= pieceBytes; at += pieceBytes) yield all.subarray(at, at + pieceBytes);
    waiting = [all.subarray(at)];
    length = all.length - at;
  }
  if (length > 0) yield Buffer.concat(waiting);
}
