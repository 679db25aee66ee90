import { useCallback, useEffect, useState } from 'react';
import type { ChangesView, FolderView } from '../../../src-main/contract/files.ts';
import { host } from '../../bridge.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { useEngineReady } from '../../stores/vm.ts';

interface Read<T> {
  readonly value?: T;
  readonly problem?: string;
}

/** Reads it now and whenever asked to; the last value stays while the next is on its way. */
function useRead<T>(read: (signal: AbortSignal) => Promise<T>): Read<T> & { readonly again: () => void } {
  const ready = useEngineReady();
  const [state, setState] = useState<Read<T>>({});
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

export function useFolder(id: string, path: string): Read<FolderView> & { readonly again: () => void } {
  return useRead(useCallback((signal) => host.call('files.list', { id, path }, signal), [id, path]));
}

export function useChanges(id: string): Read<ChangesView> & { readonly again: () => void } {
  return useRead(useCallback((signal) => host.call('files.changes', { id }, signal), [id]));
}
