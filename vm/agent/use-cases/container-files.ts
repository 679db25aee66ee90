/** `docker cp` and `docker export`: a container's files, running or not, with its volumes where the container has them. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { EngineError } from '../../contract/errors.ts';
import { FilesError } from '../runtime/files-program.ts';
import type { BoundPath, FilesView, FolderListing, FoundFile, OutgoingArchive } from '../runtime/files-program.ts';
import type { OciMount, RootFilesystem } from '../runtime/runtime.ts';
import { isRunning } from '../state/container-record.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { idRangeOf } from '../state/container-store.ts';
import { prepareMounts } from './container-mounts.ts';
import { prepareContainerRoot } from './container-root.ts';
import { resolveUser } from './container-user.ts';
import { withSubpaths } from './mount-subpaths.ts';
import { undoAll } from './open-beneath.ts';
import type { Undo } from './open-beneath.ts';
import { containerPaths, publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';

export interface PathRequest {
  /** As the client named the container. */
  readonly reference: string;
  /** As the client gave it. */
  readonly path: string;
}

export async function statPath(parts: Parts, request: PathRequest, signal: AbortSignal): Promise<FoundFile> {
  const wanted = cleanPath(request.path);
  return inDockersWords(
    request,
    withFiles(parts, request.reference, 'all', signal, (view, either) => parts.files.stat(view, wanted, either)),
  );
}

/** What is in a folder, as `ls` would show it: without packing all that is below, and in containers that have no `ls`. */
export async function listFolder(parts: Parts, request: PathRequest, signal: AbortSignal): Promise<FolderListing> {
  const wanted = cleanPath(request.path);
  return inDockersWords(
    request,
    withFiles(parts, request.reference, 'all', signal, (view, either) => parts.files.list(view, wanted, either)),
  );
}

/** `send` gets the archive, and resolves when all of it has been passed on. */
export async function readArchive(
  parts: Parts,
  request: PathRequest,
  signal: AbortSignal,
  send: (found: FoundFile, archive: Readable) => Promise<void>,
): Promise<void> {
  const wanted = cleanPath(request.path);
  const { reference } = request;
  const copying = withFiles(parts, reference, 'all', signal, async (view, either) => {
    const { found, ...outgoing } = await parts.files.get(view, wanted, path.posix.basename(wanted) || '/', either);
    publishContainerEvent(parts, parts.store.find(reference), 'archive-path');
    await passOn(outgoing, (archive) => send(found, archive));
  });
  await inDockersWords(request, copying);
}

export interface WriteRequest extends PathRequest {
  readonly noOverwriteDirNonDir: boolean;
  /** The container's own user becomes the owner, when it has one. */
  readonly copyUidGid: boolean;
}

export async function writeArchive(
  parts: Parts,
  request: WriteRequest,
  archive: Readable,
  signal: AbortSignal,
): Promise<void> {
  const wanted = cleanPath(request.path);
  const record = parts.store.find(request.reference);
  const owner = request.copyUidGid ? await ownerOf(parts, record) : undefined;
  const options = { noReplace: request.noOverwriteDirNonDir, owner };
  try {
    await withFiles(parts, request.reference, 'all', signal, (view, either) =>
      parts.files.put(view, wanted, options, archive, either),
    );
  } catch (error) {
    throw writeFailure(error, request, record);
  }
  publishContainerEvent(parts, record, 'extract-to-dir');
}

/** The root file system without what is mounted in it. */
export async function exportContainer(
  parts: Parts,
  reference: string,
  signal: AbortSignal,
  send: (archive: Readable) => Promise<void>,
): Promise<void> {
  await withFiles(parts, reference, 'bare', signal, async (view, either) => {
    const outgoing = await parts.files.export(view, either);
    publishContainerEvent(parts, parts.store.find(reference), 'export');
    await passOn(outgoing, send);
  });
}

/** Failed as a whole when the archive turns out not to be whole. */
export async function passOn(
  { archive, done }: OutgoingArchive,
  send: (archive: Readable) => Promise<void>,
): Promise<void> {
  try {
    await send(archive);
  } catch (error) {
    archive.destroy(); // ends the program, by its next write
    await done.catch(() => undefined);
    throw error;
  }
  await done;
}

async function withFiles<Result>(
  parts: Parts,
  reference: string,
  extent: 'all' | 'bare',
  signal: AbortSignal,
  work: (view: FilesView, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { id } = parts.store.find(reference);
  const live = parts.live.of(id);
  const begun = await live.lock.run(() => {
    const record = parts.store.find(id);
    const { status } = record.state;
    if (status === 'removing' || status === 'dead') {
      throw new EngineError('conflict', `container ${reference} is marked for removal`);
    }
    const running = isRunning(record) ? live.running : undefined;
    const copy = live.copies.begin(running === undefined, signal, async (either) => {
      const held: Undo[] = [];
      try {
        const view =
          running === undefined
            ? await stoppedView(parts, record, extent, held)
            : runningView(parts, record, running.pid, extent);
        return await work(view, either);
      } finally {
        await undoAll(held);
      }
    });
    // Wrapped: the lock is not to be held until it has ended.
    return Promise.resolve({ copy });
  });
  return begun.copy;
}

function runningView(parts: Parts, record: ContainerRecord, pid: number, extent: 'all' | 'bare'): FilesView {
  const { cgroup } = containerPaths(parts.config, record.id);
  return { kind: 'running', pid, cgroup, bare: extent === 'bare', ids: idRangeOf(record) };
}

async function stoppedView(
  parts: Parts,
  record: ContainerRecord,
  extent: 'all' | 'bare',
  held: Undo[],
): Promise<FilesView> {
  const ids = idRangeOf(record);
  const rootfs = await prepareContainerRoot(parts, record);
  const mounts = extent === 'all' ? await copiedMounts(parts, record, rootfs, held) : [];
  return { kind: 'stopped', rootfs, binds: boundPaths(mounts), readOnly: record.hostConfig.ReadonlyRootfs, ids };
}

/** Each copy uses the volumes for itself: the end of one must not unmount what another reads. */
async function copiedMounts(
  parts: Parts,
  record: ContainerRecord,
  rootfs: RootFilesystem,
  held: Undo[],
): Promise<OciMount[]> {
  const user = `${record.id} copy ${randomUUID()}`;
  held.push(() => parts.volumeUse.release(user));
  await parts.volumeUse.acquire({ id: user, mounts: record.mounts });
  return withSubpaths(parts.config, record, await prepareMounts(parts, record, rootfs), held);
}

/** What lives beyond a run: memory file systems do not. */
export function boundPaths(mounts: readonly OciMount[]): BoundPath[] {
  return mounts
    .filter(({ options }) => options.includes('rbind') || options.includes('bind'))
    .map(({ source, destination, options }) => ({
      source,
      target: destination,
      readOnly: options.includes('ro'),
      recursive: options.includes('rbind'),
      idmap: options.includes('idmap'),
    }));
}

async function ownerOf(parts: Parts, record: ContainerRecord): Promise<{ uid: number; gid: number } | undefined> {
  if (record.config.User === '') return undefined;
  const rootfs = await prepareContainerRoot(parts, record);
  const { uid, gid } = await resolveUser(rootfs, record.config.User, []);
  return { uid, gid };
}

/** Absolute, without `..`; a slash or dot at its end, which means the folder a link leads to, stays. */
export function cleanPath(given: string): string {
  if (given.includes('\0')) throw new EngineError('invalid-parameter', 'invalid path: it holds a NUL');
  const clean = path.posix.join('/', given).replace(/(.)\/+$/, '$1');
  const base = clean === '/' ? '' : '/';
  if (/(^|\/)\.\/*$/.test(given)) return `${clean}${base}.`;
  return given.endsWith('/') ? `${clean}${base}` : clean;
}

async function inDockersWords<Result>(request: PathRequest, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw pathFailure(error, request);
  }
}

function pathFailure(error: unknown, { reference, path: given }: PathRequest): unknown {
  if (!(error instanceof FilesError)) return error;
  const cause = { cause: error };
  switch (error.kind) {
    case 'not-found':
      return new EngineError('not-found', `Could not find the file ${given} in container ${reference}`, cause);
    case 'not-a-directory':
      return new EngineError('system', `lstat ${given}: not a directory`, cause);
    case 'gone':
      return new EngineError(
        'conflict',
        `container ${reference} stopped while its files were opened: try again`,
        cause,
      );
    default:
      return error;
  }
}

function writeFailure(error: unknown, request: WriteRequest, record: ContainerRecord): unknown {
  if (!(error instanceof FilesError)) return error;
  const cause = { cause: error };
  switch (error.kind) {
    case 'not-a-directory':
      return new EngineError('invalid-parameter', 'extraction point is not a directory', cause);
    case 'read-only':
      return new EngineError('forbidden', `${readOnlyThing(record, request.path)} is marked read-only`, cause);
    case 'refused':
    case 'unsafe':
    case 'too-large':
    case 'bad-archive':
      return new EngineError('invalid-parameter', error.message, cause);
    case 'disk-full':
      return new EngineError('system', error.message.replace('No space', 'no space'), cause);
    default:
      return pathFailure(error, request);
  }
}

function readOnlyThing(record: ContainerRecord, given: string): string {
  const inside = `${path.posix.join('/', given).replace(/\/+$/, '')}/`;
  const mounted = record.mounts.some(({ Destination }) => inside.startsWith(`${Destination}/`));
  return mounted ? 'mounted volume' : 'container rootfs';
}
