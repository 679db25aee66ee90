import { useCallback, useEffect, useState } from 'react';
import { errorText } from '../stores/follow-stream.ts';
import { useEngineReady } from '../stores/vm.ts';

export interface Read<T> {
  readonly value?: T;
  readonly problem?: string;
  readonly again: () => void;
}

/**
 * Reads it now and whenever asked to; the last value stays while the next is on its way.
 * @param read must stay the same function for as long as the same is asked for
 */
export function useRead<T>(read: (signal: AbortSignal) => Promise<T>): Read<T> {
  const ready = useEngineReady();
  const [state, setState] = useState<Omit<Read<T>, 'again'>>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    read(abort.signal).then(
      (value) => setState({ value }),
      (error: unknown) => {
        if (!abort.signal.aborted) setState({ problem: errorText(error) });
      },
    );
    return () => abort.abort();
  }, [read, ready, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  return { ...state, again };
}
