/** Files of containers and volumes: folders listed, files read, taken out and put in, and what changed since the image. */
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack, type Header } from 'tar-stream';
import type { FilePlace, FileText } from '../contract/files.ts';
import { AppError } from '../contract/errors.ts';
import { containerChanges, containerFolder, parsePathStat, toChangesView, toFolderView } from '../engine/files-api.ts';
import type { PathStat } from '../engine/files-api.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { CallHandler, StreamHandler } from './handlers.ts';
import { download, upload } from './transfers.ts';

/** Of a file that is looked at; the rest is for downloading. */
const maxTextBytes = 512 * 1024;

export class FileHandlers {
  readonly #engine: EngineClient;
  readonly #tasks: Tasks;

  constructor(engine: EngineClient, tasks: Tasks) {
    this.#engine = engine;
    this.#tasks = tasks;
  }

  readonly list: CallHandler<'files.list'> = async ({ place, path: folder }, signal) => {
    const request = { path: `${wherryPath(place)}/files`, query: { path: folder }, signal };
    return toFolderView(await this.#engine.json({ attempt: `list ${folder}`, ...request }, containerFolder));
  };

  readonly changes: CallHandler<'files.changes'> = async ({ id }, signal) => {
    const request = { attempt: 'compare with the image', path: `/containers/${segment(id)}/changes`, signal };
    return toChangesView(await this.#engine.json(request, containerChanges));
  };

  readonly read: CallHandler<'files.read'> = async ({ place, path: file }, signal): Promise<FileText> => {
    const { archive, stat } = await this.#open(`read ${file}`, place, file, signal);
    if (stat.kind !== 'file') {
      archive.destroy();
      throw new AppError('invalid-input', `read ${file}: it is not a file`, { hint: 'Download it as an archive.' });
    }
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of contentOf(archive)) {
      pieces.push(piece);
      length += piece.length;
      if (length >= maxTextBytes) break;
    }
    const start = Buffer.concat(pieces).subarray(0, maxTextBytes);
    // What is cut may end within a character.
    const text = new TextDecoder('utf-8', { fatal: false }).decode(start, { stream: true });
    const isText = !text.includes('\0') && !text.includes('\uFFFD');
    const { sizeBytes } = stat;
    return { text: isText ? text : '', isText, sizeBytes, more: sizeBytes > start.length };
  };

  readonly write: CallHandler<'files.write'> = async ({ place, path: file, before, text }, signal) => {
    const attempt = `save ${file}`;
    const { archive, stat, at } = await this.#open(attempt, place, file, signal);
    if (stat.kind !== 'file' || stat.sizeBytes > maxTextBytes) {
      archive.destroy();
      throw new AppError('invalid-input', `${attempt}: it is no file that can be edited here`);
    }
    const pieces: Buffer[] = [];
    let header: Header | undefined;
    for await (const piece of contentOf(archive, (found) => (header = found))) pieces.push(piece);
    if (!Buffer.concat(pieces).equals(Buffer.from(before))) {
      throw new AppError('conflict', `${attempt}: it was changed meanwhile`, { hint: 'Open it again to see how.' });
    }
    if (Object.keys(header?.pax ?? {}).some((name) => name.startsWith('SCHILY.xattr.'))) {
      throw new AppError('invalid-input', `${attempt}: it has attributes that would be lost`, {
        hint: 'Edit it in a terminal.',
      });
    }
    const bytes = Buffer.from(text);
    const { mode = 0o644, uid = 0, gid = 0 } = header ?? {};
    const told = { name: path.posix.basename(at), size: bytes.length, mode, uid, gid };
    await this.#engine.send({
      attempt,
      method: 'PUT',
      path: archivePath(place),
      query: { path: path.posix.dirname(at) },
      upload: archiveOf(told, Readable.from([bytes])),
      signal,
      bulk: true,
    });
  };

  /** A file as it is; a folder, or anything else, as an archive. */
  readonly download: StreamHandler<'files.download'> = ({ place, path: file }, context) => {
    const attempt = `download ${file}`;
    return download(this.#tasks, { kind: 'download', name: file, attempt }, context, async (signal) => {
      const { archive, stat } = await this.#open(attempt, place, file, signal);
      return stat.kind === 'file' ? { bytes: contentOf(archive), total: stat.sizeBytes } : { bytes: archive };
    });
  };

  readonly upload: StreamHandler<'files.upload'> = ({ place, folder, name, sizeBytes }, context) => {
    const attempt = `upload ${name}`;
    const subject = { kind: 'upload', name: path.posix.join(folder, name), attempt } as const;
    return upload(this.#tasks, subject, sizeBytes, context, async (bytes, _report, signal) => {
      await this.#engine.send({
        attempt,
        method: 'PUT',
        path: archivePath(place),
        query: { path: folder },
        upload: archiveOf({ name, size: sizeBytes, mode: 0o644 }, bytes),
        signal,
        bulk: true,
        timeoutMs: 0,
      });
    });
  };

  /** A link is followed to what it means. */
  async #open(
    attempt: string,
    place: FilePlace,
    wanted: string,
    signal: AbortSignal,
  ): Promise<{ readonly archive: Readable; readonly stat: PathStat; readonly at: string }> {
    const open = async (at: string) => {
      const archive = await this.#engine.stream({
        attempt,
        path: archivePath(place),
        query: { path: at },
        signal,
        bulk: true,
      });
      return { archive, at, stat: parsePathStat(String(archive.headers['x-docker-container-path-stat'])) };
    };
    const found = await open(wanted);
    if (found.stat.kind !== 'link') return found;
    found.archive.destroy();
    return open(found.stat.target);
  }
}

function wherryPath(place: FilePlace): string {
  return 'volume' in place
    ? `/wherry/v1/volumes/${segment(place.volume)}`
    : `/wherry/v1/containers/${segment(place.container)}`;
}

/** Docker has one for containers; a volume's is alike. */
function archivePath(place: FilePlace): string {
  return 'volume' in place ? `${wherryPath(place)}/archive` : `/containers/${segment(place.container)}/archive`;
}

/** The bytes of an archive's one file. */
async function* contentOf(
  archive: Readable,
  onHeader: (header: Header) => void = () => undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const reader = extract();
  const reading = pipeline(archive, reader);
  // Told by the iteration, when it is not over by then.
  reading.catch(() => undefined);
  for await (const entry of reader) {
    onHeader(entry.header);
    yield* entry as AsyncIterable<Buffer>;
    return;
  }
  await reading;
}

/** One file; owned by root, unless it is told. */
async function* archiveOf(
  header: Pick<Header, 'name' | 'size' | 'mode'> & Partial<Pick<Header, 'uid' | 'gid'>>,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const archive = pack();
  const entry = archive.entry({ ...header, mtime: new Date() });
  const filling = pipeline(bytes, entry).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  yield* archive as AsyncIterable<Buffer>;
  await filling;
}
