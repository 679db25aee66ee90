/** Keys that work everywhere outside of text and terminals; the shortcuts overlay lists them. */
import { useEffect } from 'react';
import { isTyping } from './components/search-field.tsx';
import { openDialog, useDialog } from './stores/dialogs.ts';
import { navigate, places, type Place } from './stores/navigation.ts';

/** After g. */
export const placeKeys: Readonly<Record<Place, string>> = {
  containers: 'c',
  images: 'i',
  volumes: 'v',
  networks: 'n',
  registries: 'r',
  logs: 'l',
  events: 'w',
  engine: 'e',
};

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
  if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && !isTyping(event.target)) {
    // A browser does the same; Electron's window does not by itself.
    if (event.key === 'ArrowLeft') history.back();
    else if (event.key === 'ArrowRight') history.forward();
    else return;
    event.preventDefault();
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
    const place = places.find((name) => placeKeys[name] === event.key);
    if (place !== undefined) navigate({ screen: place });
    else if (event.key === 'a') openDialog({ kind: 'activity' });
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}
