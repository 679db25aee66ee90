/** Where somebody reads in a log whose lines come and go at both ends, and which way they move. */
import { useCallback, useLayoutEffect, useRef, type RefObject } from 'react';
import type { Virtualizer } from '@tanstack/react-virtual';
import type { LogView } from './log-protocol.ts';

const nearEndPx = 24;
/** So near to the first row what comes before it is fetched. */
const nearStartPx = 400;

/** When lines at the front come or go while somebody reads, the page is moved so that what they read stays. */
export function useKeepPlace(
  pane: RefObject<HTMLDivElement | null>,
  virtualizer: Virtualizer<HTMLDivElement, Element>,
  { first, before }: LogView,
  following: boolean,
  lastTop: RefObject<number>,
): { readonly place: () => void; readonly goToTop: () => void } {
  /** The line at the top, and how much of it is above. */
  const top = useRef({ number: first, abovePx: 0 });
  const lastFirst = useRef(first);
  const toTop = useRef(false);
  useLayoutEffect(() => {
    if (lastFirst.current === first) return;
    lastFirst.current = first;
    if (toTop.current && before === 0) {
      toTop.current = false;
      top.current = { number: first, abovePx: 0 };
    }
    const item = virtualizer.measurementsCache[top.current.number - first];
    if (following || !item || !pane.current) return;
    pane.current.scrollTop = item.start + top.current.abovePx;
    lastTop.current = pane.current.scrollTop;
  }, [first, before, following, pane, virtualizer, lastTop]);
  const place = useCallback(() => {
    const scrollTop = pane.current?.scrollTop ?? 0;
    const item = virtualizer.getVirtualItemForOffset(scrollTop);
    if (item) top.current = { number: first + item.index, abovePx: scrollTop - item.start };
  }, [first, pane, virtualizer]);
  return { place, goToTop: () => (toTop.current = true) };
}

interface ScrollEvents {
  readonly onMove: () => void;
  readonly onUp: () => void;
  readonly onEnd: () => void;
  readonly onStart: () => void;
}

/** Movement by the user is told apart from growth by the direction of the scroll position. */
export function useScrollWatch(lastTop: RefObject<number>, { onMove, onUp, onEnd, onStart }: ScrollEvents) {
  return ({ currentTarget }: { currentTarget: HTMLDivElement }) => {
    const { scrollTop, scrollHeight, clientHeight } = currentTarget;
    const by = scrollTop - lastTop.current;
    lastTop.current = scrollTop;
    onMove();
    const isAtEnd = scrollHeight - scrollTop - clientHeight < nearEndPx;
    if (by < -1 && !isAtEnd) onUp();
    if (by > 1 && isAtEnd) onEnd();
    if (by < -1 && scrollTop < nearStartPx) onStart();
  };
}
