import { useEffect, useState } from 'react';
import type { ContainerDetails, ContainerView } from '../../../src-main/contract/engine.ts';
import { host } from '../../bridge.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { useEngineReady } from '../../stores/vm.ts';

export interface Details {
  /** The last known ones stay while new ones are fetched or cannot be. */
  readonly value?: ContainerDetails;
  readonly problem?: string;
}

/** Inspects the container, again whenever its view changed or the engine came back. */
export function useDetails(container: ContainerView): Details {
  const { id, state, name, status } = container;
  const ready = useEngineReady();
  const [details, setDetails] = useState<Details>({});
  // Docker's status ticks each second while young; only its kind matters here.
  const kind = status.replace(/\d+|seconds?|minutes?|hours?|Less than a second|About an? \w+/g, '');
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    host.call('containers.inspect', { id }, abort.signal).then(
      (value) => setDetails({ value }),
      (error: unknown) => {
        if (!abort.signal.aborted) setDetails((before) => ({ ...before, problem: errorText(error) }));
      },
    );
    return () => abort.abort();
  }, [id, state, name, kind, ready]);
  return details;
}
