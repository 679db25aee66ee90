/** Waits: every one takes a signal and a deadline, and says what it waited for. */
import { AppError } from './contract/errors.ts';

/** Resolves after `ms`; rejects with the signal's reason when aborted first. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/**
 * Settles as `work` does, or rejects with `deadline` after `ms`, or with the signal's reason when it aborts.
 * The work is told through the signal it is given; its late outcome is ignored.
 */
export async function withDeadline<T>(
  what: string,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  options: { readonly signal?: AbortSignal | undefined; readonly hint?: string } = {},
): Promise<T> {
  options.signal?.throwIfAborted();
  const controller = new AbortController();
  const forward = () => {
    controller.abort(reasonOf(options.signal));
  };
  options.signal?.addEventListener('abort', forward, { once: true });
  const timer = setTimeout(() => {
    controller.abort(
      new AppError('deadline', `${what}: no answer within ${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`, {
        ...(options.hint === undefined ? {} : { hint: options.hint }),
      }),
    );
  }, ms);
  try {
    return await raceAbort(work(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', forward);
  }
}

/** The promise's outcome, or a rejection with the signal's reason as soon as it aborts. */
export async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  // A late rejection of the loser has no other reader.
  promise.catch(() => undefined);
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(reasonOf(signal));
    };
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The reason as an Error: an AbortSignal may carry anything. */
function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new AppError('cancelled', 'cancelled', { cause: reason });
}
