/** Engine events in the window's words. Pure. */
import type { EngineEvent } from '../../../src-main/contract/engine.ts';
import { shortId } from '../../format/quantities.ts';

export type EventTone = '' | 'good' | 'bad' | 'warn';

const words: Readonly<Record<string, string>> = {
  'container create': 'created',
  'container start': 'started',
  'container restart': 'restarted',
  'container pause': 'paused',
  'container unpause': 'resumed',
  'container stop': 'stopped',
  'container kill': 'got a signal',
  'container oom': 'ran out of memory',
  'container rename': 'renamed',
  'container update': 'changed',
  'container destroy': 'removed',
  'container commit': 'saved as an image',
  'image pull': 'pulled',
  'image push': 'pushed',
  'image tag': 'tagged',
  'image untag': 'untagged',
  'image delete': 'removed',
  'image import': 'imported',
  'image load': 'loaded',
  'image save': 'saved',
  'volume create': 'created',
  'volume destroy': 'removed',
  'volume mount': 'mounted',
  'volume unmount': 'unmounted',
  'network create': 'created',
  'network destroy': 'removed',
  'network connect': 'connected',
  'network disconnect': 'disconnected',
};

/** `web` of `{type: container, name: web}`; what has no name is told by the start of its id. */
export function eventSubject({ actorId, attributes }: EngineEvent): string {
  return attributes['name'] ?? (/^(sha256:)?[0-9a-f]{64}$/.test(actorId) ? shortId(actorId) : actorId);
}

export function eventText({ type, action, attributes }: EngineEvent): string {
  if (type === 'container' && action === 'die') {
    const code = attributes['exitCode'] ?? '';
    return code === '' ? 'ended' : `ended with code ${code}`;
  }
  if (type === 'container' && action.startsWith('health_status')) return `is ${action.split(':')[1]?.trim() ?? ''}`;
  return words[`${type} ${action}`] ?? action;
}

export function eventTone({ type, action, attributes }: EngineEvent): EventTone {
  if (type !== 'container') return '';
  if (action === 'start' || action === 'unpause') return 'good';
  if (action === 'oom') return 'bad';
  if (action === 'die') return (attributes['exitCode'] ?? '0') === '0' ? '' : 'bad';
  return action === 'health_status: unhealthy' ? 'warn' : '';
}

/** What else the event says, for who wants to know: `image=nginx exitCode=137`. */
export function eventExtras({ attributes }: EngineEvent): string {
  return Object.entries(attributes)
    .filter(([name]) => name !== 'name')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
