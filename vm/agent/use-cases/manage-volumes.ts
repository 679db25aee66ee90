/** Volumes as the Engine API sees them. */
import { EngineError } from '../../contract/errors.ts';
import type { Filters } from '../filters.ts';
import { checkVolumeDriver } from '../volumes/volume-options.ts';
import type { UnpackProgram } from '../snapshots/unpack-program.ts';
import type { Volume } from '../volumes/volume-store.ts';
import type { Parts } from './parts.ts';
import { usersOfVolume } from './remove-container.ts';

export const volumeFilterNames = ['dangling', 'driver', 'label', 'label!', 'name'] as const;
export const volumePruneFilterNames = ['all', 'label', 'label!'] as const;

export interface CreateVolumeRequest {
  /** Empty: a name is made. */
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

export async function createVolume(parts: Parts, request: CreateVolumeRequest): Promise<object> {
  const name = request.name === '' ? undefined : request.name;
  checkVolumeDriver(request.name, request.driver);
  return view(await parts.volumes.ensure(name, request.labels, request.options));
}

export function listVolumes(parts: Parts, filters: Filters): object {
  return { Volumes: select(parts, filters).map(view), Warnings: null };
}

export function inspectVolume(parts: Parts, name: string): object {
  return view(parts.volumes.find(name));
}

export async function removeVolume(parts: Parts, name: string, force: boolean): Promise<void> {
  try {
    if (parts.volumeUse.isBeingCopied(name)) {
      throw new EngineError('conflict', `remove ${name}: volume is in use - its files are being copied`);
    }
    await parts.volumes.remove(name, (volume) => usersOfVolume(parts, volume));
  } catch (error) {
    if (!(force && error instanceof EngineError && error.code === 'not-found')) throw error;
  }
}

/** Those of no container: only anonymous ones, unless the filter `all` (or an old client, `namedToo`) says otherwise. */
export async function pruneVolumes(
  parts: Parts,
  program: Pick<UnpackProgram, 'folderBytes'>,
  filters: Filters,
  namedToo: boolean,
): Promise<object> {
  const all = namedToo || filters.get('all').some((text) => ['1', 'true'].includes(text));
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const volume of select(parts, filters)) {
    const used = usersOfVolume(parts, volume.name).length > 0 || parts.volumeUse.isBeingCopied(volume.name);
    if ((!volume.anonymous && !all) || used) continue;
    const bytes = await program.folderBytes(volume.mountpoint).catch(() => 0); // never mounted: there is no folder yet
    await removeVolume(parts, volume.name, true);
    deleted.push(volume.name);
    reclaimed += bytes;
  }
  return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
}

function select(parts: Parts, filters: Filters): Volume[] {
  if (!filters.get('dangling').every((text) => ['0', '1', 'true', 'false'].includes(text))) {
    throw new EngineError('invalid-parameter', `Invalid filter 'dangling=[${filters.get('dangling').join(' ')}]'`);
  }
  const dangling = filters.get('dangling').map((text) => ['1', 'true'].includes(text));
  return parts.volumes
    .all()
    .filter(
      (volume) =>
        filters.matches('driver', 'local') &&
        filters.matchesPattern('name', [volume.name]) &&
        filters.matchesLabels(volume.labels) &&
        dangling.every((wanted) => wanted === (usersOfVolume(parts, volume.name).length === 0)),
    );
}

function view(volume: Volume): object {
  return {
    Name: volume.name,
    Driver: 'local',
    Mountpoint: volume.mountpoint,
    CreatedAt: volume.createdAt,
    Labels: volume.labels,
    Scope: 'local',
    Options: Object.keys(volume.options).length === 0 ? null : volume.options,
  };
}
