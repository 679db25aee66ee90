/** Starting, stopping and mending the engine, with one call under way at most. */
import { create } from 'zustand';
import { host } from '../bridge.ts';
import type { Mend } from '../stores/health.ts';
import { showError } from '../stores/toasts.ts';

type EngineVerb = 'start' | 'sleep' | 'stop' | 'restart' | 'reset' | 'mend';

export const useEngineAction = create<{ readonly running: EngineVerb | undefined }>(() => ({ running: undefined }));

export async function actOnEngine(verb: EngineVerb): Promise<void> {
  if (useEngineAction.getState().running !== undefined) return;
  useEngineAction.setState({ running: verb });
  try {
    await host.call(`vm.${verb}`, {});
  } catch (error) {
    const what = verb === 'sleep' ? 'put the engine to sleep' : `${verb} the engine`;
    showError(`Could not ${what}`, error);
  } finally {
    useEngineAction.setState({ running: undefined });
  }
}

/** The one button that mends what the health says is wrong. */
export function mend(way: Mend): void {
  if (way === 'reload') location.reload();
  else void actOnEngine(way);
}
