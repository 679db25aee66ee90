import { useEffect, useState } from 'react';
import type { FoundImage } from '../../../src-main/contract/registries.ts';
import { host } from '../../bridge.ts';
import { errorText } from '../../stores/follow-stream.ts';

export type SearchResult =
  | { readonly state: 'none' | 'asking' }
  | { readonly state: 'there'; readonly images: readonly FoundImage[] }
  | { readonly state: 'failed'; readonly reason: string };

/** The words are still being typed: a registry counts every question. */
const stillMs = 350;

/** What the registry finds, asked for once the words stand still, given up when they change. */
export function useSearch(term: string): SearchResult {
  const [found, setFound] = useState<{ readonly term: string; readonly result: SearchResult }>();
  useEffect(() => {
    if (term === '') return;
    const abort = new AbortController();
    const answer = (result: SearchResult) => {
      if (!abort.signal.aborted) setFound({ term, result });
    };
    const timer = setTimeout(() => {
      host.call('registries.search', { term }, abort.signal).then(
        (images) => answer({ state: 'there', images }),
        (error: unknown) => answer({ state: 'failed', reason: errorText(error) }),
      );
    }, stillMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [term]);
  if (term === '') return { state: 'none' };
  return found?.term === term ? found.result : { state: 'asking' };
}
