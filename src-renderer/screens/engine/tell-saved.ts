import { openDialog } from '../../stores/dialogs.ts';
import { showToast } from '../../stores/toasts.ts';

/** That settings were saved; what waits for a restart is named, and the restart offered. */
export function tellSaved(needsRestart: readonly string[]): void {
  if (needsRestart.length === 0) {
    showToast({ tone: 'good', title: 'Settings saved' });
    return;
  }
  showToast({
    tone: 'good',
    title: 'Settings saved',
    detail: `Restart the engine for these to take effect: ${needsRestart.join(', ')}.`,
    action: { label: 'Restart', run: () => openDialog({ kind: 'stop-engine', restart: true }) },
  });
}
