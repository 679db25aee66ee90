/** Gets a container's mounts ready at its start: sources exist, fresh volumes hold what the image has at their place. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { EngineError } from '../../contract/errors.ts';
import { containerSocket } from '../config.ts';
import { exists } from '../exists.ts';
import type { OciMount, RootFilesystem } from '../runtime/runtime.ts';
import type { ContainerRecord, MountPoint } from '../state/container-record.ts';
import { idRangeOf } from '../state/container-store.ts';
import { outermostFirst } from './container-spec.ts';
import type { Parts } from './parts.ts';
import { mountMerged } from './merged-root.ts';
import { resolveBeneath } from './resolve-beneath.ts';

const run = promisify(execFile);

/**
 * Tools that work on the engine from a container bind its socket under the name they know it by: `/var/run/docker.sock`, or
 * where it is on the host, which means nothing here. It is another socket after a restart of the agent.
 */
const engineSocketName = 'docker.sock';

/** The OCI mounts of a container's own mount points, outermost first. */
export async function prepareMounts(
  parts: Pick<Parts, 'config' | 'volumes'>,
  record: ContainerRecord,
  rootfs: RootFilesystem,
): Promise<OciMount[]> {
  const mounts: OciMount[] = [];
  for (const mount of record.mounts) {
    if (mount.Type === 'volume') await fillVolume(parts.config, mount, rootfs);
    const source = await sourceOf(parts, mount);
    if (mount.Type === 'bind') await ensureBindSource({ ...mount, Source: source }, idRangeOf(record)?.base ?? 0);
    mounts.push(toOciMount({ ...mount, Source: source }, record.idSlot !== undefined, parts.config.dataDir));
  }
  return outermostFirst(mounts);
}

function toOciMount(mount: MountPoint, hasIdRange: boolean, dataDir: string): OciMount {
  if (mount.Type === 'tmpfs') {
    const words = mount.Mode === '' ? [] : mount.Mode.split(',');
    const options = ['nosuid', 'nodev', ...(words.includes('exec') ? [] : ['noexec']), ...words];
    return { destination: mount.Destination, type: 'tmpfs', source: 'tmpfs', options };
  }
  const propagation = mount.Propagation === '' ? 'rprivate' : mount.Propagation;
  const options = ['rbind', mount.RW ? 'rw' : 'ro', propagation];
  // The data disk can be mounted with shifted ids; the guest's own read-only and memory filesystems cannot.
  if (hasIdRange && mount.Source.startsWith(`${dataDir}/`)) options.push('idmap');
  return { destination: mount.Destination, type: 'bind', source: mount.Source, options };
}

async function sourceOf(parts: Pick<Parts, 'config'>, { Type, Source }: MountPoint): Promise<string> {
  const isSocket = Type === 'bind' && isEngineSocket(Source) && !(await exists(Source));
  return isSocket ? containerSocket(parts.config) : Source;
}

function isEngineSocket(source: string): boolean {
  return path.basename(source) === engineSocketName;
}

/** What a user who means a folder of the host must be told: Docker would take that, we make an empty one. */
export async function warnOfNewFolders(mounts: readonly MountPoint[]): Promise<string[]> {
  const made: string[] = [];
  for (const { Type, Source, Mode } of mounts) {
    if (Type !== 'bind' || Mode === 'must-exist' || isEngineSocket(Source) || (await exists(Source))) continue;
    made.push(
      `${Source} is not in the VM, where a new, empty folder takes its place: folders of this computer are not shared. ` +
        'Use a volume and `docker cp`, or COPY it into an image.',
    );
  }
  return made;
}

/** Those of `--mount` must be there at create, and still be at the start. */
export async function checkBindSources(mounts: readonly MountPoint[]): Promise<void> {
  for (const mount of mounts) {
    if (mount.Mode !== 'must-exist' || isEngineSocket(mount.Source) || (await exists(mount.Source))) continue;
    throw missingSource(mount);
  }
}

function missingSource({ Source }: MountPoint): EngineError {
  return new EngineError(
    'invalid-parameter',
    `invalid mount config for type "bind": bind source path does not exist: ${Source}`,
  );
}

/** A missing folder is made, as by Docker's `-v`, for the container's own root. */
async function ensureBindSource(mount: MountPoint, ownerId: number): Promise<void> {
  if (await exists(mount.Source)) return;
  if (mount.Mode === 'must-exist') throw missingSource(mount);
  await mkdir(mount.Source, { recursive: true });
  await chown(mount.Source, ownerId, ownerId);
}

/** Copies what the image holds at the volume's place, once: only into an empty volume. */
async function fillVolume(config: Parts['config'], mount: MountPoint, rootfs: RootFilesystem): Promise<void> {
  await mkdir(mount.Source, { recursive: true });
  if (mount.Mode.split(',').includes('nocopy') || (await readdir(mount.Source)).length > 0) return;
  await using image = await mountMerged(config, rootfs.lowerDirs);
  // The image chooses its symbolic links; they must not lead to the guest's files.
  const source = await resolveBeneath(image.folder, mount.Destination);
  const stats = source === undefined ? undefined : await stat(source);
  if (source === undefined || stats?.isDirectory() !== true) return;
  await run('cp', ['-a', `${source}/.`, `${mount.Source}/`]);
  await chown(mount.Source, stats.uid, stats.gid);
  await chmod(mount.Source, stats.mode & 0o7777);
}
