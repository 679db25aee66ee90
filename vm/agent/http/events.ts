/** `GET /events`. */
import { EngineError } from '../../contract/errors.ts';
import { parseTime } from '../clock.ts';
import type { EngineEvent, EventFeed } from '../events.ts';
import { Filters } from '../filters.ts';
import type { Route } from './route.ts';

const filterNames = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
] as const;

/** Kinds of actors that have a filter of their own name; the last ones have no events here. */
const actorTypes = [
  'container',
  'image',
  'network',
  'volume',
  'daemon',
  'config',
  'node',
  'plugin',
  'secret',
  'service',
];

/** What a client that does not read may have waiting before it is cut off. */
const maxPendingBytes = 4 * 1024 * 1024;
const maxTimerMs = 2 ** 31 - 1;

export function eventRoutes(feed: EventFeed): Route[] {
  return [
    {
      method: 'GET',
      path: '/events',
      handle: async ({ response, query, signal }) => {
        const filters = Filters.parse(query.get('filters'), filterNames);
        const since = bound('since', query.get('since'));
        const until = bound('until', query.get('until'));
        checkOrder(since, until, query);
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.flushHeaders();
        const send = (event: EngineEvent): void => {
          if (!isWanted(event, filters) || (until !== undefined && event.timeNano > until)) return;
          response.write(`${JSON.stringify(withOldFields(event))}\n`);
          if (response.writableLength > maxPendingBytes) response.destroy();
        };
        // Nothing is awaited between these two, so no event is lost or sent twice.
        if (since !== undefined || until !== undefined) feed.since(since ?? 0).forEach(send);
        const stop = feed.subscribe(send);
        await waitUntil(until, signal);
        stop();
        response.end();
      },
    },
  ];
}

function bound(name: string, text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const time = parseTime(text);
  if (time === undefined) throw new EngineError('invalid-parameter', `invalid value for "${name}": ${text}`);
  return Number(time);
}

function checkOrder(since: number | undefined, until: number | undefined, query: URLSearchParams): void {
  if (since === undefined || until === undefined || since <= until) return;
  const [from, to] = [query.get('since') ?? '', query.get('until') ?? ''];
  throw new EngineError('invalid-parameter', `\`since\` time (${from}) cannot be after \`until\` time (${to})`);
}

function waitUntil(untilNano: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const waitMs = untilNano === undefined ? undefined : untilNano / 1e6 - Date.now();
    const timer =
      waitMs === undefined ? undefined : setTimeout(() => resolve(), Math.min(maxTimerMs, Math.max(0, waitMs)));
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

function isWanted(event: EngineEvent, filters: Filters): boolean {
  const { ID, Attributes } = event.Actor;
  const name = Attributes.name ?? '';
  const matchesActor = (type: string): boolean =>
    !filters.has(type) ||
    (event.Type === type && filters.get(type).some((wanted) => wanted === name || ID.startsWith(wanted))) ||
    (type === 'image' && isOfImage(event, filters.get(type)));
  return (
    filters.matches('type', event.Type) &&
    filters.matches('scope', event.scope) &&
    (!filters.has('event') ||
      filters.get('event').some((wanted) => event.Action === wanted || event.Action.startsWith(`${wanted}:`))) &&
    filters.matchesLabels(Attributes) &&
    actorTypes.every(matchesActor)
  );
}

/** By the image's name with or without its tag; of an image's own events and of its containers'. */
function isOfImage({ Type, Actor: { ID, Attributes } }: EngineEvent, wanted: readonly string[]): boolean {
  if (Type !== 'image' && Type !== 'container') return false;
  const name = (Type === 'image' ? Attributes.name : Attributes.image) ?? '';
  const names = [name, withoutTag(name), ...(Type === 'image' ? [ID, withoutTag(ID)] : [])];
  return wanted.some((one) => names.includes(one));
}

function withoutTag(name: string): string {
  return name.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}

/** Clients before API 1.22 read these. */
function withOldFields(event: EngineEvent): object {
  const hasStatus = event.Type === 'container' || event.Type === 'image';
  return hasStatus
    ? { status: event.Action, id: event.Actor.ID, from: event.Actor.Attributes.image ?? '', ...event }
    : event;
}
