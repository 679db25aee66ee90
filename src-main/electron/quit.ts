/** Quitting in order: the VM first if the user set it so, then every connection, then the app. */
import type { App } from 'electron';
import type { Settings } from '../contract/vm.ts';

/** A VM that does not stop or sleep by then is left to its own devices; the next start attaches to it. */
const stopDeadlineMs = 60_000;

export interface QuitOptions {
  readonly app: Pick<App, 'on' | 'exit'>;
  readonly settings: () => Pick<Settings, 'onQuit'> | undefined;
  /** False when another process owns the VM: then it is not this app's to stop. */
  readonly ownsVm: () => boolean;
  readonly endVm: (how: 'sleep' | 'stop') => Promise<void>;
  /** Closes what is open; runs last. */
  readonly close: () => Promise<void>;
  /** For tests. */
  readonly deadlineMs?: number;
}

export interface ClosingFacts {
  readonly onClose: 'hide' | 'quit' | undefined;
  readonly platform: NodeJS.Platform;
  readonly hasTray: boolean;
  readonly isQuitting: boolean;
}

/** Whether closing the window only hides it. On Linux without a tray it could not be had back. */
export function hidesOnClose({ onClose, platform, hasTray, isQuitting }: ClosingFacts): boolean {
  return onClose === 'hide' && !isQuitting && (hasTray || platform !== 'linux');
}

/** Takes over from the app's own quitting; however often it is asked for, it happens once. */
export function quitInOrder(options: QuitOptions): { readonly isQuitting: () => boolean } {
  let quitting = false;
  options.app.on('before-quit', (event) => {
    event.preventDefault();
    if (quitting) return;
    quitting = true;
    void finish(options).finally(() => options.app.exit(0));
  });
  return { isQuitting: () => quitting };
}

async function finish(options: QuitOptions): Promise<void> {
  const onQuit = options.settings()?.onQuit ?? 'leave-running';
  if (onQuit !== 'leave-running' && options.ownsVm()) {
    // The VM's own state tells what went wrong; a quit must not fail for it. One that cannot sleep is left running.
    await within(options.endVm(onQuit), options.deadlineMs ?? stopDeadlineMs);
  }
  await options.close().catch(() => undefined);
}

async function within(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadlineMs)));
  await Promise.race([work.catch(() => undefined), deadline]);
  clearTimeout(timer);
}
