import type { Writable } from 'node:stream';

/** When what was written has been taken, or nobody is there any more to take it (the signal). Never rejects. */
export async function drained(target: Writable, signal: AbortSignal): Promise<void> {
  if (signal.aborted || !target.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      target.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    target.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
