/** Whether the guest may be halted now: a pure rule over what is being answered. */
import type { RequestUnderWay } from './http/server.ts';

/** What ends in failure when its connection is cut; the rest (logs, events, waiting) is asked for again. */
const transfers: readonly (readonly [path: RegExp, words: string])[] = [
  [/^\/images\/create$/, 'a pull'],
  [/^\/images\/.+\/push$/, 'a push'],
  [/^\/images\/load$/, 'the loading of images'],
  [/^\/images\/(.+\/)?get$/, 'the saving of images'],
  [/^\/build$/, 'a build'],
  [/^\/commit$/, 'a commit'],
  [/^\/containers\/[^/]+\/(archive|export)$/, 'a copy of files'],
  [/^\/wherry\/v1\/volumes\/[^/]+\/(archive|clone|export|import)$/, 'a copy of a volume'],
];
/** Wherry's own, always there or just asking. */
const ownRequests = /^\/(events|_ping|wherry\/v1\/(ports|health|sleep))$/;

/** The first thing that forbids it, in words; undefined: it may sleep. @param idle only when nothing at all goes on */
export function whatKeepsAwake(
  requests: readonly RequestUnderWay[],
  shells: number,
  idle: boolean,
): string | undefined {
  for (const { path } of requests) {
    const words = transfers.find(([pattern]) => pattern.test(path))?.[1];
    if (words !== undefined) return words;
    if (idle && !ownRequests.test(path)) return `a request to ${path}`;
  }
  return idle && shells > 0 ? 'a shell' : undefined;
}
