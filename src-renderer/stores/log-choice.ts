/** Which containers the view of all logs shows. Kept for this window: until chosen, it is those that run. */
import { create } from 'zustand';

/** A stream of the engine for each: as many as anybody can tell apart. */
export const maxChosen = 30;

const key = 'wherry.logs.chosen';

export const useLogChoice = create<{ readonly ids: readonly string[] | undefined }>(() => ({
  ids: sessionStorage.getItem(key)?.split(' ').filter(Boolean),
}));

export function chooseLogs(ids: readonly string[]): void {
  const chosen = ids.slice(0, maxChosen);
  sessionStorage.setItem(key, chosen.join(' '));
  useLogChoice.setState({ ids: chosen });
}
