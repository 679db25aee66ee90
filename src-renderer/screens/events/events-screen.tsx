import { useEffect, useMemo, useRef, useState } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import type { EngineEvent } from '../../../src-main/contract/engine.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { Notice } from '../../components/notice.tsx';
import { ScreenFrame } from '../../components/screen-frame.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { Segments } from '../../components/segments.tsx';
import { Outside } from '../../components/text.tsx';
import { matchesWords } from '../../format/matches-words.ts';
import { formatCount, formatTime } from '../../format/quantities.ts';
import { useRem } from '../../components/use-rem.ts';
import { errorText, followStream } from '../../stores/follow-stream.ts';
import { navigate } from '../../stores/navigation.ts';
import { eventExtras, eventSubject, eventText, eventTone } from './event-words.ts';

const kinds = ['all', 'container', 'image', 'volume', 'network'] as const;
type Kind = (typeof kinds)[number];
const labels: Readonly<Record<Kind, string>> = {
  all: 'All',
  container: 'Containers',
  image: 'Images',
  volume: 'Volumes',
  network: 'Networks',
};

const maxEvents = 5000;
const flushMs = 100;
const rowRem = 2.25;

/** What happened in the engine, newest first, live. */
export function EventsScreen() {
  const { events, problem } = useEvents();
  const [query, setQuery] = useState('');
  const [kind, setKind] = useState<Kind>('all');
  const rows = useMemo(
    () =>
      events.filter(
        (event) =>
          (kind === 'all' || event.type === kind) &&
          matchesWords(query, eventSubject(event), eventText(event), event.action, eventExtras(event)),
      ),
    [events, kind, query],
  );
  const clear = () => {
    setQuery('');
    setKind('all');
  };
  return (
    <ScreenFrame title="Events" summary={events.length === 0 ? '' : formatCount(events.length, 'event')}>
      <div className="toolbar">
        <SearchField value={query} label="Filter by name or action" onChange={setQuery} slash />
        <Segments
          label="Kind"
          value={kind}
          onChange={setKind}
          options={kinds.map((value) => ({ value, label: labels[value] }))}
        />
      </div>
      {problem === '' ? null : (
        <div className="log-notice">
          <Notice tone="warn">
            <p>{problem}</p>
          </Notice>
        </div>
      )}
      {rows.length > 0 ? (
        <EventRows rows={rows} />
      ) : events.length > 0 ? (
        <Empty title="No event matches" actions={<Button onClick={clear}>Show all events</Button>}>
          <p>The filter leaves none of {formatCount(events.length, 'event')}.</p>
        </Empty>
      ) : (
        <Empty title="Nothing has happened yet">
          <p>Starts and stops, pulls and removals show here as they happen, whoever asked for them.</p>
        </Empty>
      )}
    </ScreenFrame>
  );
}

function EventRows({ rows }: { rows: readonly EngineEvent[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const rowPx = rowRem * useRem();
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 12,
  });
  return (
    <div className="events scroll" ref={scroller} role="log" aria-label="Events" aria-live="off" tabIndex={0}>
      <ul style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const event = rows[index];
          if (!event) return null;
          return (
            <EventRow key={`${event.timeNano}:${event.actorId}:${event.action}:${index}`} event={event} top={start} />
          );
        })}
      </ul>
    </div>
  );
}

function EventRow({ event, top }: { event: EngineEvent; top: number }) {
  return (
    <li className="event" style={{ transform: `translateY(${top}px)` }}>
      <time className="quiet mono">{formatTime(event.timeNano / 1e6)}</time>
      <span className="quiet event-type">{event.type}</span>
      <EventSubject event={event} />
      <span className={`state ${eventTone(event)}`}>
        <Outside text={eventText(event)} />
      </span>
      <Outside text={eventExtras(event)} className="faint event-extras" limit={400} />
    </li>
  );
}

/** A way to what it happened to; a page whose object is gone says so. */
function EventSubject({ event }: { event: EngineEvent }) {
  const { type, actorId } = event;
  const subject = <Outside text={eventSubject(event)} className="strong" />;
  const go = () => {
    if (type === 'container') navigate({ screen: 'container', id: actorId, tab: 'logs' });
    else if (type === 'volume') navigate({ screen: 'volume', id: actorId });
    else navigate({ screen: 'network', id: actorId });
  };
  if (!['container', 'volume', 'network'].includes(type) || actorId === '') return <span>{subject}</span>;
  return (
    <button type="button" className="link" onClick={go}>
      {subject}
    </button>
  );
}

function useEvents(): { readonly events: readonly EngineEvent[]; readonly problem: string } {
  const [events, setEvents] = useState<readonly EngineEvent[]>([]);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    let waiting: EngineEvent[] = [];
    let fresh = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const added = waiting.reverse();
      waiting = [];
      const anew = fresh;
      fresh = false;
      setEvents((before) => (anew ? added : [...added, ...before]).slice(0, maxEvents));
    };
    followStream('engine.events', {
      // A stream opened again brings what was kept once more.
      input: () => {
        fresh = true;
        waiting = [];
        return { history: true };
      },
      onItem: (event) => {
        waiting.push(event);
        timer ??= setTimeout(flush, flushMs);
      },
      signal: abort.signal,
    }).catch((error: unknown) => setProblem(errorText(error)));
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, []);
  return { events, problem };
}
