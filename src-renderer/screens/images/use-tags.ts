import { useEffect, useState } from 'react';
import { parseServer, type RegistryNames } from '../../../src-main/contract/registries.ts';
import { host } from '../../bridge.ts';
import { errorText } from '../../stores/follow-stream.ts';

export type TagList =
  | { readonly state: 'none' | 'asking' }
  | { readonly state: 'there'; readonly tags: RegistryNames }
  | { readonly state: 'failed'; readonly reason: string };

/** The name is still being typed: a registry counts every question. */
const stillMs = 300;

/** A repository's tags, asked for once the name stands still, given up when it changes. Undefined: nothing is asked. */
export function useTags(repository: string | undefined): TagList {
  const [found, setFound] = useState<{ readonly repository: string; readonly list: TagList }>();
  useEffect(() => {
    if (repository === undefined) return;
    const abort = new AbortController();
    const answer = (list: TagList) => {
      if (!abort.signal.aborted) setFound({ repository, list });
    };
    const timer = setTimeout(() => {
      host.call('registries.tags', { name: repository }, abort.signal).then(
        (tags) => answer({ state: 'there', tags }),
        (error: unknown) => answer({ state: 'failed', reason: errorText(error) }),
      );
    }, stillMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [repository]);
  if (repository === undefined) return { state: 'none' };
  return found?.repository === repository ? found.list : { state: 'asking' };
}

/** `team/app` of a server as an image's name. */
export function imageName(server: string, repository: string, tag: string): string {
  const name = parseServer('') === server ? repository : `${server}/${repository}`;
  return `${name}:${tag}`;
}
