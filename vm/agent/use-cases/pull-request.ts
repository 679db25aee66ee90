/** Reads what a client asks to pull, before anything is done. */
import { EngineError } from '../../contract/errors.ts';
import { parseRegistryAuth } from '../registry/auth.ts';
import { parsePlatform } from '../registry/platform.ts';
import type { Platform } from '../registry/platform.ts';
import { isDigest, parseReference } from '../registry/reference.ts';
import type { PullRequest } from './pull-image.ts';

/** A reference with neither tag nor digest means all tags, as in Docker's API. */
export function parsePullRequest(
  asked: { fromImage: string; tag: string; platform: string; registryAuth: string | undefined },
  host: Platform,
): PullRequest & { readonly allTags: boolean } {
  const named = parseReference(asked.fromImage);
  if (asked.tag !== '') parseReference(`x${isDigest(asked.tag) ? '@' : ':'}${asked.tag}`);
  const reference =
    asked.tag === ''
      ? named
      : isDigest(asked.tag)
        ? { ...named, tag: undefined, digest: asked.tag }
        : { ...named, tag: asked.tag, digest: undefined };
  if (reference.path === '') throw new EngineError('invalid-parameter', 'invalid reference format');
  return {
    reference,
    platform: asked.platform === '' ? undefined : parsePlatform(asked.platform, host),
    credentials: parseRegistryAuth(asked.registryAuth),
    allTags: reference.tag === undefined && reference.digest === undefined,
  };
}
