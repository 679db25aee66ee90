/**
 * Statistics of the containers that views look at: one stream to the host for all of them, bounded samples for each.
 * While the window is hidden nothing is watched.
 */
import { useEffect, useSyncExternalStore } from 'react';
import { maxStatsIds, type HostStream } from '../../src-main/contract/channels.ts';
import type { StatsSample } from '../../src-main/contract/engine.ts';
import { followStream } from './follow-stream.ts';

/** An hour at one a second. */
const maxSamples = 3600;
const settleMs = 150;

const none: readonly StatsSample[] = [];
const samples = new Map<string, readonly StatsSample[]>();
const listeners = new Map<string, Set<() => void>>();

interface Looker {
  readonly ids: readonly string[];
  readonly historyS: number;
}

/** The views that look, each at its containers. */
const lookers = new Set<Looker>();
let stream: HostStream<'containers.stats'> | undefined;
let running: AbortController | undefined;
/** How far back the open stream was asked to begin. */
let openedS = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Watches these for as long as the calling component is there; at most {@link maxStatsIds} in all.
 * @param historyS how many seconds before now are wanted too
 */
export function useWatchStats(ids: readonly string[], historyS: number): void {
  const key = ids.join(' ');
  useEffect(() => {
    const own = { ids: key.split(' ').filter(Boolean), historyS };
    lookers.add(own);
    settle();
    return () => {
      lookers.delete(own);
      settle();
    };
  }, [key, historyS]);
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
  if (document.hidden) return [];
  return [...new Set([...lookers].flatMap((looker) => looker.ids))].slice(0, maxStatsIds);
}

function wantedS(): number {
  return Math.max(0, ...[...lookers].map(({ historyS }) => historyS));
}

function apply(): void {
  const ids = wantedIds();
  for (const id of samples.keys()) {
    if (!ids.includes(id) && !listeners.has(id)) samples.delete(id);
  }
  // What goes further back than the open stream was asked for needs another.
  if (running && (ids.length === 0 || wantedS() > openedS)) {
    running.abort();
    running = undefined;
    stream = undefined;
  }
  if (ids.length === 0) return;
  if (running) stream?.send({ ids });
  else follow();
}

function follow(): void {
  const own = new AbortController();
  running = own;
  followStream('containers.stats', {
    input: () => {
      openedS = wantedS();
      return { ids: wantedIds(), historyS: openedS };
    },
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

/** What is sent again by another stream is known by its time; it may reach further back. */
function take(id: string, fresh: readonly StatsSample[]): void {
  const known = samples.get(id) ?? none;
  const firstMs = known[0]?.timeMs ?? 0;
  const lastMs = known.at(-1)?.timeMs ?? 0;
  const older = fresh.filter(({ timeMs }) => timeMs < firstMs);
  const newer = fresh.filter(({ timeMs }) => timeMs > lastMs);
  if (older.length + newer.length === 0) return;
  samples.set(id, [...older, ...known, ...newer].slice(-maxSamples));
  for (const listener of listeners.get(id) ?? []) listener();
}

document.addEventListener('visibilitychange', settle);
