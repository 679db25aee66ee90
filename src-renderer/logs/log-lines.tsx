import { useEffect, useLayoutEffect, useRef, type RefObject } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRem } from '../components/use-rem.ts';
import type { LogBuffer } from './log-buffer.ts';
import { LogRow } from './log-row.tsx';

interface LogLook {
  readonly times: boolean;
  readonly wrap: boolean;
  /** Lines of JSON on several lines. */
  readonly pretty: boolean;
  /** Of several logs merged: the name of each. */
  readonly origins?: readonly string[];
  readonly pattern: RegExp | undefined;
  /** The line that the search stands on. */
  readonly current: number | undefined;
}

interface LogLinesProps {
  readonly buffer: LogBuffer;
  readonly version: number;
  readonly look: LogLook;
  readonly following: boolean;
  readonly onFollow: (following: boolean) => void;
}

const rowRem = 1.25;
const nearEndPx = 24;

/** The kept lines, only those in sight in the page. Scrolling up stops following, reaching the end starts it. */
export function LogLines({ buffer, version, look, following, onFollow }: LogLinesProps) {
  const pane = useRef<HTMLDivElement>(null);
  const rowPx = rowRem * useRem();
  const virtualizer = useVirtualizer({
    count: buffer.size,
    getScrollElement: () => pane.current,
    estimateSize: () => rowPx,
    overscan: 20,
    getItemKey: (index) => buffer.firstNumber + index,
  });
  useEffect(() => virtualizer.measure(), [look.wrap, look.times, look.pretty, virtualizer]);
  useKeepPlace(pane, buffer.firstNumber, rowPx, following);
  useLayoutEffect(() => {
    if (following && pane.current) pane.current.scrollTop = pane.current.scrollHeight;
  }, [following, version, look.wrap, look.pretty]);
  const { current } = look;
  useLayoutEffect(() => {
    if (current === undefined) return;
    const index = current - buffer.firstNumber;
    if (index >= 0) virtualizer.scrollToIndex(index, { align: 'center' });
  }, [current, buffer, virtualizer]);
  const scroll = useScrollWatch(onFollow);
  return (
    <div
      ref={pane}
      className={look.wrap ? 'log-pane scroll wrap' : 'log-pane scroll'}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Log lines"
      onScroll={scroll}
    >
      <div className="log-canvas" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const line = buffer.at(item.index);
          if (!line) return null;
          return (
            <div
              key={item.key}
              data-index={item.index}
              ref={look.wrap || look.pretty ? virtualizer.measureElement : null}
              className={line.number === look.current ? 'log-row current' : 'log-row'}
              data-stream={line.stream}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <LogRow
                line={line}
                times={look.times}
                pretty={look.pretty}
                origin={look.origins?.[line.origin ?? 0]}
                pattern={look.pattern}
                current={line.number === look.current}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** When lines at the front go while somebody reads, the page is moved by as much, so that what they read stays. */
function useKeepPlace(pane: RefObject<HTMLDivElement | null>, first: number, rowPx: number, following: boolean): void {
  const before = useRef(first);
  useLayoutEffect(() => {
    const gone = first - before.current;
    before.current = first;
    if (gone > 0 && !following && pane.current) pane.current.scrollTop -= gone * rowPx;
  }, [first, following, pane, rowPx]);
}

/** Upward movement by the user is told apart from growth by the direction of the scroll position. */
function useScrollWatch(onFollow: (following: boolean) => void) {
  const lastTop = useRef(0);
  return ({ currentTarget }: { currentTarget: HTMLDivElement }) => {
    const { scrollTop, scrollHeight, clientHeight } = currentTarget;
    const atEnd = scrollHeight - scrollTop - clientHeight < nearEndPx;
    if (atEnd) onFollow(true);
    else if (scrollTop < lastTop.current - 1) onFollow(false);
    lastTop.current = scrollTop;
  };
}
