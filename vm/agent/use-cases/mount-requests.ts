/** From a create request's `Binds`, `Mounts`, `Tmpfs`, `VolumesFrom` and the image's volumes to mount points. */
import path from 'node:path';
import { EngineError } from '../../contract/errors.ts';
import type { ContainerRecord, HostConfig, MountPoint, MountRequest } from '../state/container-record.ts';
import { checkVolumeDriver } from '../volumes/volume-options.ts';
import type { VolumeStore } from '../volumes/volume-store.ts';

const accessWords = new Set(['ro', 'rw', 'z', 'Z', 'nocopy']);
const propagationWords = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);

/** Makes the volumes that are named or needed. Later sources give way to earlier ones for the same destination, as with Docker. */
export async function collectMounts(options: {
  readonly hostConfig: HostConfig;
  /** Of the container and its image. */
  readonly volumePaths: readonly string[];
  readonly volumes: VolumeStore;
  readonly findContainer: (reference: string) => ContainerRecord;
}): Promise<MountPoint[]> {
  const { hostConfig, volumes } = options;
  const mounts = new Map<string, MountPoint>();
  const add = (mount: MountPoint): void => {
    if (mounts.has(mount.Destination)) {
      throw new EngineError('invalid-parameter', `Duplicate mount point: ${mount.Destination}`);
    }
    mounts.set(mount.Destination, mount);
  };
  for (const bind of hostConfig.Binds ?? []) add(await fromBind(bind, volumes));
  for (const request of hostConfig.Mounts) add(await fromRequest(request, volumes));
  for (const [destination, words] of Object.entries(hostConfig.Tmpfs)) {
    add({ ...tmpfs(checkDestination(destination, '')), Mode: words });
  }
  for (const from of hostConfig.VolumesFrom ?? []) {
    for (const mount of fromContainer(from, options.findContainer)) {
      if (!mounts.has(mount.Destination)) mounts.set(mount.Destination, mount);
    }
  }
  for (const volumePath of options.volumePaths) {
    const destination = checkDestination(volumePath, '');
    if (!mounts.has(destination)) add(volumeMount(await volumes.ensure(undefined), destination, true, ''));
  }
  return [...mounts.values()];
}

async function fromBind(bind: string, volumes: VolumeStore): Promise<MountPoint> {
  const [source = '', target, mode = '', ...rest] = bind.split(':');
  if (target === undefined || source === '' || target === '' || rest.length > 0) throw invalidBind(bind);
  const words = mode === '' ? [] : mode.split(',');
  const propagation = words.find((word) => propagationWords.has(word));
  const isVolume = !source.startsWith('/');
  if (words.some((word) => !accessWords.has(word) && !propagationWords.has(word))) {
    throw new EngineError('invalid-parameter', `invalid mode: ${mode}`);
  }
  const destination = checkDestination(
    target,
    `invalid volume specification: '${bind}': invalid mount config for type "${isVolume ? 'volume' : 'bind'}": `,
  );
  const writable = !words.includes('ro');
  if (isVolume) return volumeMount(await volumes.ensure(source), destination, writable, mode || 'z');
  return {
    Type: 'bind',
    Source: path.posix.normalize(source),
    Destination: destination,
    Mode: mode,
    RW: writable,
    Propagation: propagation ?? 'rprivate',
  };
}

async function fromRequest(request: MountRequest, volumes: VolumeStore): Promise<MountPoint> {
  const destination = checkDestination(request.Target, `invalid mount config for type "${request.Type}": `);
  switch (request.Type) {
    case 'bind':
      checkPropagation(request.BindOptions?.Propagation);
      if (!request.Source.startsWith('/')) {
        throw invalidMount('bind', `invalid mount path: '${request.Source}' mount path must be absolute`);
      }
      return {
        Type: 'bind',
        Source: path.posix.normalize(request.Source),
        Destination: destination,
        // Unlike `Binds`, a missing source is an error at start.
        Mode: request.BindOptions?.CreateMountpoint === true ? '' : 'must-exist',
        RW: !request.ReadOnly,
        Propagation: request.BindOptions?.Propagation || 'rprivate',
      };
    case 'volume': {
      const name = request.Source === '' ? undefined : request.Source;
      const { Labels = {}, Subpath = '', NoCopy, DriverConfig } = request.VolumeOptions ?? {};
      checkSubpath(Subpath, name);
      checkVolumeDriver(request.Source, DriverConfig?.Name ?? '');
      const volume = await volumes.ensure(name, Labels, DriverConfig?.Options);
      const mount = volumeMount(volume, destination, !request.ReadOnly, NoCopy === true ? 'nocopy' : 'z');
      // What the image holds belongs at the volume's root, if anywhere.
      return Subpath === '' ? mount : { ...mount, Mode: 'nocopy', Subpath };
    }
    case 'tmpfs': {
      const { SizeBytes = 0, Mode = 0o1777 } = request.TmpfsOptions ?? {};
      const words = [`mode=${Mode.toString(8)}`, ...(SizeBytes > 0 ? [`size=${SizeBytes}`] : [])];
      return { ...tmpfs(destination), RW: !request.ReadOnly, Mode: words.join(',') };
    }
  }
}

function checkSubpath(subpath: string, volume: string | undefined): void {
  if (subpath === '') return;
  if (volume === undefined) throw invalidMount('volume', 'must not set Subpath when using anonymous volumes');
  if (subpath.startsWith('/') || subpath.split('/').includes('..')) {
    throw invalidMount('volume', 'subpath must be a relative path within the volume');
  }
}

function checkPropagation(mode = ''): void {
  if (mode !== '' && !propagationWords.has(mode)) throw invalidMount('bind', `invalid propagation mode: ${mode}`);
}

function fromContainer(from: string, findContainer: (reference: string) => ContainerRecord): MountPoint[] {
  const [reference = '', mode = 'rw'] = from.split(':');
  if (mode !== 'ro' && mode !== 'rw' && mode !== 'z') {
    throw new EngineError('invalid-parameter', `invalid mode: ${mode}`);
  }
  const { mounts } = findContainer(reference);
  return mounts.filter((mount) => mount.Type !== 'tmpfs').map((mount) => ({ ...mount, RW: mount.RW && mode !== 'ro' }));
}

function volumeMount(
  volume: { readonly name: string; readonly mountpoint: string },
  destination: string,
  writable: boolean,
  mode: string,
): MountPoint {
  return {
    Type: 'volume',
    Name: volume.name,
    Source: volume.mountpoint,
    Destination: destination,
    Driver: 'local',
    Mode: mode,
    RW: writable,
    Propagation: '',
  };
}

function tmpfs(destination: string): MountPoint {
  return { Type: 'tmpfs', Source: '', Destination: destination, Mode: '', RW: true, Propagation: '' };
}

/** `where` goes before the refusal. */
function checkDestination(destination: string, where: string): string {
  if (!destination.startsWith('/')) {
    throw new EngineError(
      'invalid-parameter',
      `${where}invalid mount path: '${destination}' mount path must be absolute`,
    );
  }
  const normal = path.posix.normalize(destination).replace(/(.)\/+$/, '$1');
  if (normal === '/') {
    throw new EngineError('invalid-parameter', `${where}invalid specification: destination can't be '/'`);
  }
  return normal;
}

function invalidBind(bind: string): EngineError {
  return new EngineError('invalid-parameter', `invalid volume specification: '${bind}'`);
}

function invalidMount(type: string, detail: string): EngineError {
  return new EngineError('invalid-parameter', `invalid mount config for type "${type}": ${detail}`);
}
