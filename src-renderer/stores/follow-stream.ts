/** Streams that should go on for as long as somebody looks: reopened after a lost link, ended by the signal only. */
import { AppError, toErrorView, type ErrorView } from '../../src-main/contract/errors.ts';
import type { StreamName, Streams } from '../../src-main/contract/channels.ts';
import type { HostStream } from '../../src-main/contract/channels.ts';
import { host } from '../bridge.ts';

export interface FollowOptions<K extends StreamName> {
  /** Called before each opening, so that a reopened stream can say where to go on. */
  readonly input: () => Streams[K]['input'];
  readonly onOpen?: (stream: HostStream<K>) => void;
  /** The next item is asked for when this has resolved. */
  readonly onItem: (item: Streams[K]['item']) => void | Promise<void>;
  /** The stream broke and will be opened again. */
  readonly onBreak?: (error: ErrorView) => void;
  readonly signal: AbortSignal;
}

const retryMs = 1000;
/** Another try may help with these; any other failure ends the following. */
const passing: readonly string[] = ['link-lost', 'unavailable', 'deadline', 'vm-absent', 'vm-failed'];

/** Resolves when the stream ended by itself or the signal aborted; rejects when it failed for good. */
export async function followStream<K extends StreamName>(name: K, options: FollowOptions<K>): Promise<void> {
  const { signal } = options;
  while (!isAborted(signal)) {
    const stream = host.open(name, options.input());
    const close = () => stream.close();
    signal.addEventListener('abort', close, { once: true });
    options.onOpen?.(stream);
    try {
      for await (const item of stream) {
        if (signal.aborted) return;
        await options.onItem(item);
      }
      return;
    } catch (error) {
      // The signal may have aborted while the loop waited for an item.
      if (isAborted(signal)) return;
      const view = toErrorView(error);
      if (!passing.includes(view.code)) throw error;
      options.onBreak?.(view);
      await pause(retryMs, signal);
    } finally {
      signal.removeEventListener('abort', close);
    }
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** For views that show an error in place of content. */
export function errorText(error: unknown): string {
  const view = error instanceof AppError ? error : toErrorView(error);
  return view.hint === undefined ? view.message : `${view.message}. ${view.hint}`;
}
