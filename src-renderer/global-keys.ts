/** Keys that work everywhere outside of text and terminals; the shortcuts overlay lists them. */
import { useEffect } from 'react';
import { isTyping } from './components/search-field.tsx';
import { openDialog, useDialog } from './stores/dialogs.ts';
import { navigate } from './stores/navigation.ts';

export function useGlobalKeys(): void {
  useEffect(() => {
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
}

let pendingGo = 0;

function press(event: KeyboardEvent): void {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
    // In a terminal Ctrl+K belongs to the shell; ⌘K does not.
    if (event.ctrlKey && event.target instanceof HTMLElement && event.target.closest('.xterm')) return;
    event.preventDefault();
    openDialog({ kind: 'palette' });
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target) || useDialog.getState().dialog !== undefined) return;
  if (event.key === '?') {
    event.preventDefault();
    openDialog({ kind: 'shortcuts' });
  } else if (event.key === 'g') {
    pendingGo = event.timeStamp;
  } else if (event.timeStamp - pendingGo < 1200) {
    pendingGo = 0;
    if (event.key === 'c') navigate({ screen: 'containers' });
    else if (event.key === 'i') navigate({ screen: 'images' });
    else if (event.key === 'e') navigate({ screen: 'engine' });
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}
