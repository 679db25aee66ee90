import { useState, type ReactNode, type SubmitEvent } from 'react';
import type { Settings } from '../../../src-main/contract/vm.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { openDialog } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { showToast } from '../../stores/toasts.ts';

interface SettingsFormProps {
  readonly title: string;
  readonly isChanged: boolean;
  /** Nothing wrong can be told here; the host may still refuse. */
  readonly isValid: boolean;
  /** What is saved. */
  readonly next: () => Settings;
  readonly onUndo: () => void;
  readonly children: ReactNode;
}

/** A part of the settings that is saved or taken back as a whole. */
export function SettingsForm({ title, isChanged, isValid, next, onUndo, children }: SettingsFormProps) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!isValid) return;
    setBusy(true);
    setProblem(undefined);
    host
      .call('settings.set', { settings: next() })
      .then(({ needsRestart }) => tellSaved(needsRestart))
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <section>
      <h2>{title}</h2>
      <form className="settings-form" onSubmit={submit} noValidate>
        {problem === undefined ? null : (
          <Notice tone="bad">
            <p>{problem}</p>
          </Notice>
        )}
        {children}
        <div className="settings-end">
          <Button tone="primary" type="submit" busy={busy} disabled={!isChanged || !isValid}>
            Save
          </Button>
          {isChanged ? <Button onClick={onUndo}>Undo</Button> : null}
        </div>
      </form>
    </section>
  );
}

/** That settings were saved; what waits for a restart is named, and the restart offered. */
function tellSaved(needsRestart: readonly string[]): void {
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
