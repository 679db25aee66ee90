/** Links out of the window and the clipboard. */
import { host } from '../bridge.ts';
import { showError, showToast } from '../stores/toasts.ts';

/** In Electron the host opens it; in a browser the page does, with no way back to this window. */
export async function openLink(url: string): Promise<void> {
  if (!('wherry' in globalThis)) {
    window.open(url, '_blank', 'noopener,noreferrer');
    return;
  }
  try {
    await host.call('app.openExternal', { url });
  } catch (error) {
    showError('Could not open the link', error);
  }
}

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    showToast({ tone: 'info', title: `Copied ${what}` });
  } catch (error) {
    showError(`Could not copy ${what}`, error);
  }
}

/** Hands the text to the browser as a file to keep. */
export function saveText(parts: readonly string[], name: string): void {
  saveBlob(new Blob([...parts], { type: 'text/plain;charset=utf-8' }), name);
}

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
