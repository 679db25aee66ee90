/** A volume's files, whether a container mounts it or not; as they are in the guest, with the owners that containers see. */
import path from 'node:path';
import type { Readable } from 'node:stream';
import { EngineError } from '../../contract/errors.ts';
import { FilesError } from '../runtime/files-program.ts';
import type { FilesView, FolderListing, FoundFile } from '../runtime/files-program.ts';
import type { UnpackProgram } from '../snapshots/unpack-program.ts';
import { unpackArchive } from './build-archive.ts';
import { cleanPath, passOn } from './container-files.ts';
import type { Parts } from './parts.ts';

export interface VolumePath {
  readonly name: string;
  /** As the client gave it; the volume is the root. */
  readonly path: string;
}

export async function listVolumeFolder(parts: Parts, wanted: VolumePath, signal: AbortSignal): Promise<FolderListing> {
  return withFiles(parts, wanted, 'look', (view) => parts.files.list(view, cleanPath(wanted.path), signal));
}

/** `send` gets the archive, and resolves when all of it has been passed on. */
export async function readVolumeArchive(
  parts: Parts,
  wanted: VolumePath,
  signal: AbortSignal,
  send: (found: FoundFile, archive: Readable) => Promise<void>,
): Promise<void> {
  const clean = cleanPath(wanted.path);
  await withFiles(parts, wanted, 'copy', async (view) => {
    const { found, ...outgoing } = await parts.files.get(view, clean, path.posix.basename(clean) || '/', signal);
    await passOn(outgoing, (archive) => send(found, archive));
  });
}

/** Unpacks an archive into a folder that must exist. */
export async function writeVolumeArchive(
  parts: Parts,
  wanted: VolumePath,
  archive: Readable,
  signal: AbortSignal,
): Promise<void> {
  const options = { noReplace: true, owner: undefined };
  await withFiles(parts, wanted, 'copy', (view) =>
    parts.files.put(view, cleanPath(wanted.path), options, archive, signal),
  );
}

/** All of it, as {@link importVolume} takes it: with the owner and rights of the root folder. */
export async function exportVolume(
  parts: Parts,
  name: string,
  signal: AbortSignal,
  send: (archive: Readable) => Promise<void>,
): Promise<void> {
  await withFiles(parts, { name, path: '/' }, 'copy', async (view) =>
    passOn(await parts.files.get(view, '/.', '.', signal), send),
  );
}

/** A new volume of what is in an archive, plain or compressed. When it fails there is none. */
export async function importVolume(
  parts: Parts,
  program: UnpackProgram,
  { name, archive }: { readonly name: string; readonly archive: Readable },
  signal: AbortSignal,
): Promise<void> {
  await using pending = await parts.volumes.begin(name, {});
  await unpackArchive(program, archive, { root: pending.folder }, signal);
  signal.throwIfAborted();
  await pending.commit();
}

/** Of what is in its folder: what its options would mount there is not measured. */
export async function volumeBytes(
  parts: Parts,
  program: Pick<UnpackProgram, 'folderBytesIfThere'>,
  name: string,
): Promise<number> {
  return program.folderBytesIfThere(parts.volumes.find(name).mountpoint);
}

async function withFiles<Result>(
  parts: Parts,
  wanted: VolumePath,
  how: 'copy' | 'look',
  work: (view: FilesView) => Promise<Result>,
): Promise<Result> {
  return parts.volumeUse.hold(wanted.name, how, () => {
    const { mountpoint } = parts.volumes.find(wanted.name);
    return inWords(wanted, work({ kind: 'folder', folder: mountpoint, ids: undefined }));
  });
}

async function inWords<Result>({ name, path: given }: VolumePath, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof FilesError)) throw error;
    const cause = { cause: error };
    switch (error.kind) {
      case 'not-found':
        throw new EngineError('not-found', `there is no ${given} in the volume ${name}`, cause);
      case 'not-a-directory':
        throw new EngineError('invalid-parameter', `${given} in the volume ${name} is not a folder`, cause);
      case 'gone':
        throw new EngineError('conflict', `the folder of the volume ${name} is gone`, cause);
      case 'read-only':
        throw new EngineError('forbidden', `the volume ${name} is read-only`, cause);
      case 'refused':
      case 'unsafe':
      case 'too-large':
      case 'bad-archive':
        throw new EngineError('invalid-parameter', error.message, cause);
      default:
        throw error;
    }
  }
}
