import { useEffect, useState } from 'react';
import type { ContainerView, EngineEvent } from '../../../src-main/contract/engine.ts';
import { Empty } from '../../components/empty.tsx';
import { Notice } from '../../components/notice.tsx';
import { Ago, Outside } from '../../components/text.tsx';
import { formatCount, formatTime } from '../../format/quantities.ts';
import { errorText, followStream } from '../../stores/follow-stream.ts';
import { eventExtras, eventText, eventTone } from '../events/event-words.ts';
import { addEvent, type NumberedEvent } from './container-events.ts';

const maxEvents = 1000;

/** What happened to the container, newest first: what Wherry saw since it started, then as it happens. */
export function History({ container }: { container: ContainerView }) {
  const { events, problem } = useHistory(container.id);
  if (problem !== undefined) {
    return (
      <Notice tone="warn">
        <p>{problem}</p>
      </Notice>
    );
  }
  if (events.length === 0) {
    return (
      <Empty title="Nothing happened yet">
        <p>Starts, ends, health and commands of this container appear here from when Wherry was started.</p>
      </Empty>
    );
  }
  return (
    <div className="page-body scroll" tabIndex={0}>
      <ol className="container-history" reversed aria-label="History">
        {[...events].reverse().map(({ number, event }) => (
          <li key={number} className={eventTone(event)}>
            <span className="container-history-time">{formatTime(event.timeNano / 1e6)}</span>
            <Outside text={sentence(event)} className="strong" limit={500} />
            <Outside text={eventExtras(event)} className="quiet" limit={500} />
            <span className="faint">
              <Ago timeMs={event.timeNano / 1e6} />
            </span>
          </li>
        ))}
      </ol>
      {events.length >= maxEvents ? <p className="hint">The last {formatCount(maxEvents, 'event')}.</p> : null}
    </div>
  );
}

function sentence(event: EngineEvent): string {
  const text = eventText(event);
  return event.type === 'container' ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : `${event.type} ${text}`;
}

function useHistory(id: string) {
  const [state, setState] = useState<{ events: readonly NumberedEvent[]; problem?: string }>({ events: [] });
  useEffect(() => {
    const abort = new AbortController();
    let events: readonly NumberedEvent[] = [];
    followStream('engine.events', {
      input: () => {
        // What is kept is told anew after a break.
        events = [];
        return { history: true };
      },
      onItem: (event) => {
        const next = addEvent(events, event, id, maxEvents);
        if (next === events) return;
        events = next;
        setState({ events });
      },
      signal: abort.signal,
    }).catch((error: unknown) => setState((before) => ({ ...before, problem: errorText(error) })));
    return () => abort.abort();
  }, [id]);
  return state;
}
