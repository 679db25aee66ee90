import { useState } from 'react';

/**
 * Gives the focus back to where it was before a dialog that no trigger opened. From a menu's entry, which is gone by
 * then, it goes to the menu's button.
 */
export function useReturnFocus(): (event: Event) => void {
  const [before] = useState(focused);
  return (event) => {
    event.preventDefault();
    if (before?.isConnected) before.focus({ preventScroll: true });
  };
}

function focused(): HTMLElement | undefined {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || active === document.body) return undefined;
  const trigger = active.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  return trigger ? (document.getElementById(trigger) ?? undefined) : active;
}
