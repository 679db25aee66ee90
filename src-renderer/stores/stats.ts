/**
 * Statistics of the containers that views look at: one stream to the host for all of them, bounded samples for each.
 * While the window is hidden nothing is watched.
 */
import { useEffect, useSyncExternalStore } from 'react';
import { maxStatsIds, type HostStream } from '../../src-main/contract/channels.ts';
import type { StatsSample } from '../../src-main/contract/engine.ts';
import { followStream } from './follow-stream.ts';

/** What a container's own page shows: an hour at one a second. A list needs the last minute only. */
const maxSamples = 3600;
const settleMs = 150;

const none: readonly StatsSample[] = [];
const samples = new Map<string, readonly StatsSample[]>();
const listeners = new Map<string, Set<() => void>>();

/** How many views look at each container. */
const lookers = new Map<string, number>();
let stream: HostStream<'containers.stats'> | undefined;
let running: AbortController | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Watches these for as long as the calling component is there; at most {@link maxStatsIds} in all. */
export function useWatchStats(ids: readonly string[]): void {
  const key = ids.join(' ');
  useEffect(() => {
    const own = key.split(' ').filter(Boolean);
    for (const id of own) lookers.set(id, (lookers.get(id) ?? 0) + 1);
    settle();
    return () => {
      for (const id of own) {
        const left = (lookers.get(id) ?? 1) - 1;
        if (left > 0) lookers.set(id, left);
        else lookers.delete(id);
      }
      settle();
    };
  }, [key]);
}

/** The samples known of one container, oldest first; a new array with every change. */
export function useStats(id: string): readonly StatsSample[] {
  return useSyncExternalStore(
    (listener) => {
      const own = listeners.get(id) ?? new Set();
      listeners.set(id, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0) listeners.delete(id);
      };
    },
    () => samples.get(id) ?? none,
  );
}

/** Scrolling changes what is in sight many times a second: the host is told when it has settled. */
function settle(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    apply();
  }, settleMs);
}

function wantedIds(): readonly string[] {
  return document.hidden ? [] : [...lookers.keys()].slice(0, maxStatsIds);
}

function apply(): void {
  const ids = wantedIds();
  for (const id of samples.keys()) {
    if (!lookers.has(id) && !listeners.has(id)) samples.delete(id);
  }
  if (ids.length === 0) {
    running?.abort();
    running = undefined;
    stream = undefined;
  } else if (running) {
    stream?.send({ ids });
  } else {
    follow();
  }
}

function follow(): void {
  const own = new AbortController();
  running = own;
  followStream('containers.stats', {
    input: () => ({ ids: wantedIds(), historyS: maxSamples }),
    onOpen: (opened) => {
      if (running === own) stream = opened;
    },
    onBreak: () => {
      if (running === own) stream = undefined;
    },
    onItem: ({ containers }) => {
      for (const { id, samples: fresh } of containers) take(id, fresh);
    },
    signal: own.signal,
  })
    .catch(() => undefined) // The banner says what is wrong with the host; a graph has a gap meanwhile.
    .finally(() => {
      if (running !== own) return;
      running = undefined;
      stream = undefined;
    });
}

/** What is sent again after a reconnection is known by its time. */
function take(id: string, fresh: readonly StatsSample[]): void {
  const known = samples.get(id) ?? none;
  const lastMs = known.at(-1)?.timeMs ?? 0;
  const added = fresh.filter(({ timeMs }) => timeMs > lastMs);
  if (added.length === 0) return;
  samples.set(id, [...known, ...added].slice(-maxSamples));
  for (const listener of listeners.get(id) ?? []) listener();
}

document.addEventListener('visibilitychange', settle);
