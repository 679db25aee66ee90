import { useCallback, useEffect, useLayoutEffect, useRef, type KeyboardEvent } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRem } from '../components/use-rem.ts';
import { LogRow } from './log-row.tsx';
import type { LogSource } from './log-source.ts';
import { useKeepPlace, useScrollWatch } from './reading-place.ts';

interface LogLook {
  readonly times: boolean;
  readonly wrap: boolean;
  /** Lines of JSON on several lines. */
  readonly pretty: boolean;
  /** Of several logs merged: the name of each. */
  readonly origins?: readonly string[];
}

interface LogLinesProps {
  readonly source: LogSource;
  readonly look: LogLook;
  readonly following: boolean;
  readonly onFollow: (following: boolean) => void;
  /** The reader came to the oldest line here. */
  readonly onOlder: () => void;
}

const rowRem = 1.25;
/** Of a log that grows fast, so many came while the end was scrolled to. */
const nearEndLines = 5000;
/** To stand in the middle of the page a line may take some frames: the rows around it are measured on the way. */
const settleMs = 200;

/**
 * The lines, only those in sight in the page, fetched from the log's worker as they come into sight. Scrolling up stops following,
 * reaching the end starts it.
 */
export function LogLines({ source, look, following, onFollow, onOlder }: LogLinesProps) {
  const { log } = source;
  const { view } = log;
  const pane = useRef<HTMLDivElement>(null);
  const rowPx = rowRem * useRem();
  const virtualizer = useVirtualizer({
    count: view.size,
    getScrollElement: () => pane.current,
    estimateSize: () => rowPx,
    overscan: 20,
    getItemKey: useCallback((index: number) => view.first + index, [view.first]),
  });
  useEffect(() => virtualizer.measure(), [look.wrap, look.times, look.pretty, virtualizer]);
  const lastTop = useRef(0);
  const { place, goToTop } = useKeepPlace(pane, virtualizer, view, following, lastTop);
  useLayoutEffect(() => {
    if (!following || !pane.current) return;
    pane.current.scrollTop = pane.current.scrollHeight;
    // The event of it comes later: until then the reader may begin to read here.
    place();
  }, [following, view, look.wrap, look.pretty, place]);
  const { current } = view.search;
  const settledAt = useRef(0);
  useLayoutEffect(() => {
    const { first, size } = log.view;
    if (current !== undefined && current >= first && current < first + size) {
      settledAt.current = performance.now() + settleMs;
      virtualizer.scrollToIndex(current - first, { align: 'center' });
    }
  }, [current, log, virtualizer]);
  const items = virtualizer.getVirtualItems();
  const from = view.first + (items[0]?.index ?? 0);
  const to = view.first + (items.at(-1)?.index ?? 0) + 1;
  useEffect(() => log.look(from, to), [log, from, to, following]);
  const press = (event: KeyboardEvent) => {
    const isFar = (event.key === 'Home' && view.before > 0) || (event.key === 'End' && view.after > 0);
    if (!isFar || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    // The page knows the stretch that is laid out only.
    event.preventDefault();
    onFollow(event.key === 'End');
    if (event.key === 'End') return;
    log.follow(false);
    goToTop();
    log.move('start');
  };
  // What the search scrolls to may be at an end by chance.
  const isReaders = () => performance.now() > settledAt.current;
  const scroll = useScrollWatch(lastTop, {
    onMove: place,
    onUp: () => onFollow(false),
    onEnd: () => {
      if (view.after > nearEndLines) log.move('after');
      else if (isReaders()) onFollow(true);
    },
    onStart: () => {
      if (view.before > 0) log.move('before');
      else if (isReaders() && source.older.kind === 'more') onOlder();
    },
  });
  return (
    <div
      ref={pane}
      className={look.wrap ? 'log-pane scroll wrap' : 'log-pane scroll'}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Log lines"
      onScroll={scroll}
      onKeyDown={press}
    >
      <div className="log-canvas" style={{ height: virtualizer.getTotalSize() }}>
        {items.map((item) => {
          const line = log.row(view.first + item.index);
          if (!line) return null;
          const isCurrent = line.number === current;
          return (
            <div
              key={item.key}
              data-index={item.index}
              ref={look.wrap || look.pretty ? virtualizer.measureElement : null}
              className={isCurrent ? 'log-row current' : 'log-row'}
              data-stream={line.stream}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <LogRow
                log={log}
                line={line}
                times={look.times}
                origin={look.origins?.[line.origin]}
                current={isCurrent}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}
