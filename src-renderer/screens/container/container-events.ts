/** Which of the engine's events are about one container, in order and bounded. Pure. */
import type { EngineEvent } from '../../../src-main/contract/engine.ts';

/** Several events may share a time: each has a number of its own. */
export interface NumberedEvent {
  readonly number: number;
  readonly event: EngineEvent;
}

/** What this window itself causes by looking. */
const quiet = /^(top|resize)$/;

/** With the event if it is about the container; else the very same list. */
export function addEvent(
  events: readonly NumberedEvent[],
  event: EngineEvent,
  id: string,
  limit: number,
): readonly NumberedEvent[] {
  // A network says in an attribute which container it was joined to.
  const about = event.actorId === id || (event.type === 'network' && event.attributes['container'] === id);
  if (!about || quiet.test(event.action)) return events;
  const number = (events.at(-1)?.number ?? 0) + 1;
  return [...events.slice(-(limit - 1)), { number, event }];
}
