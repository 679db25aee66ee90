/** `POST /containers/prune`: removes all that do not run. */
import { EngineError } from '../../contract/errors.ts';
import { parseTime, parseRfc3339 } from '../clock.ts';
import type { Filters } from '../filters.ts';
import { errorText, log } from '../log.ts';
import { removeContainer } from './remove-container.ts';
import type { Parts } from './parts.ts';

export const pruneFilterNames = ['label', 'label!', 'until'] as const;

export async function pruneContainers(
  parts: Parts,
  filters: Filters,
): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
  const until = filters.get('until').map((text) => {
    const time = parseTime(text);
    if (time === undefined)
      throw new EngineError('invalid-parameter', `failed to parse value as time or duration: "${text}"`);
    return time;
  });
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of parts.store.all()) {
    if (!['created', 'exited', 'dead'].includes(record.state.status)) continue;
    const createdAt = parseRfc3339(record.createdAt) ?? 0n;
    if (!filters.matchesLabels(record.config.Labels) || until.some((time) => createdAt > time)) continue;
    const size = await parts.images.rootSize(record.id).catch(() => 0);
    try {
      await removeContainer(parts, record.id, {});
      deleted.push(record.id);
      reclaimed += size;
    } catch (error) {
      // It was started meanwhile, or something holds it; the rest goes on.
      log.warn(`prune ${record.name}: ${errorText(error)}`);
    }
  }
  parts.events.publish('container', 'prune', '', { reclaimed: String(reclaimed) });
  return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}
