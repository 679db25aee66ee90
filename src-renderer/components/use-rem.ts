import { useSyncExternalStore } from 'react';

let known: number | undefined;

/** Pixels of one rem. Kept: to ask for it in every render makes the browser work out all styles first. */
export function useRem(): number {
  return useSyncExternalStore(onResize, read);
}

function read(): number {
  known ??= Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return known;
}

/** Zoom and the reader's text size come as a resize. */
function onResize(tell: () => void): () => void {
  const forget = () => {
    known = undefined;
    tell();
  };
  window.addEventListener('resize', forget);
  return () => window.removeEventListener('resize', forget);
}
