import { useCallback, useEffect, useState } from 'react';
import type { RegistryNames } from '../../../src-main/contract/registries.ts';
import { host } from '../../bridge.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { useEngineReady } from '../../stores/vm.ts';

export interface FoundNames {
  /** Undefined until the registry answered. The last answer stays while it is asked again. */
  readonly names: RegistryNames | undefined;
  readonly problem: string | undefined;
  readonly asking: boolean;
  readonly again: () => void;
}

/** What the registry says it has: its repositories, or one's tags. Given up when the screen goes. */
export function useNames(server: string, imageName: string | undefined): FoundNames {
  const ready = useEngineReady();
  const [round, setRound] = useState(0);
  const [names, setNames] = useState<RegistryNames>();
  const [problem, setProblem] = useState<string>();
  const [asking, setAsking] = useState(true);
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    const { signal } = abort;
    setAsking(true);
    setProblem(undefined);
    const asked =
      imageName === undefined
        ? host.call('registries.repositories', { server }, signal)
        : host.call('registries.tags', { name: imageName }, signal);
    asked
      .then(setNames)
      .catch((error: unknown) => {
        if (!signal.aborted) setProblem(errorText(error));
      })
      .finally(() => {
        if (!signal.aborted) setAsking(false);
      });
    return () => abort.abort();
  }, [ready, server, imageName, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  return { names, problem, asking, again };
}
