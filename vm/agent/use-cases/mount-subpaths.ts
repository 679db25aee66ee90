/** Mounts only a part of a volume (`volume-subpath`). */
import { randomUUID } from 'node:crypto';
import { EngineError } from '../../contract/errors.ts';
import type { OciMount } from '../runtime/runtime.ts';
import type { ContainerRecord, MountPoint } from '../state/container-record.ts';
import { bindHandle, openBeneath, subpathsFolder } from './open-beneath.ts';
import type { Undo } from './open-beneath.ts';
import type { Parts } from './parts.ts';

/** The mounts with parts of volumes in place of the whole ones; `held` gets what is to be undone when they are mounted. */
export async function withSubpaths(
  config: Parts['config'],
  record: ContainerRecord,
  mounts: readonly OciMount[],
  held: Undo[],
): Promise<OciMount[]> {
  const all: OciMount[] = [];
  for (const oci of mounts) {
    const mount = record.mounts.find(({ Destination }) => Destination === oci.destination);
    if (mount?.Subpath === undefined) all.push(oci);
    else all.push({ ...oci, source: await bindSubpath(config, record.id, mount, mount.Subpath, held) });
  }
  return all;
}

/**
 * By descriptor: containers that have the volume could put a link in the path's place after it was looked at. Bound to a place of
 * its own, as the monitor, in its own mount namespace, can mount no descriptor of the agent's.
 */
async function bindSubpath(
  { runDir }: Parts['config'],
  id: string,
  mount: MountPoint,
  subpath: string,
  held: Undo[],
): Promise<string> {
  const handle = await openBeneath(mount.Source, subpath).catch((cause: unknown) => {
    const { code = 'EIO' } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file or directory' : `cannot be followed (${code})`;
    throw new EngineError('invalid-parameter', `cannot access path ${mount.Source}/${subpath}: ${why}`, { cause });
  });
  try {
    return await bindHandle(handle, `${subpathsFolder(runDir)}/${id}-${randomUUID()}`, held);
  } finally {
    await handle.close();
  }
}
