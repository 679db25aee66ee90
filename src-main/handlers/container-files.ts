/** A container's files: folders listed, files read, taken out and put in, and what changed since the image. */
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import type { FileText } from '../contract/files.ts';
import { AppError } from '../contract/errors.ts';
import { containerChanges, containerFolder, parsePathStat, toChangesView, toFolderView } from '../engine/files-api.ts';
import type { PathStat } from '../engine/files-api.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { CallHandler, StreamHandler } from './handlers.ts';
import { download, upload } from './transfers.ts';

/** Of a file that is looked at; the rest is for downloading. */
const maxTextBytes = 512 * 1024;

export class ContainerFileHandlers {
  readonly #engine: EngineClient;
  readonly #tasks: Tasks;

  constructor(engine: EngineClient, tasks: Tasks) {
    this.#engine = engine;
    this.#tasks = tasks;
  }

  readonly list: CallHandler<'files.list'> = async ({ id, path: folder }, signal) => {
    const request = { path: `/wherry/v1/containers/${segment(id)}/files`, query: { path: folder }, signal };
    return toFolderView(await this.#engine.json({ attempt: `list ${folder}`, ...request }, containerFolder));
  };

  readonly changes: CallHandler<'files.changes'> = async ({ id }, signal) => {
    const request = { attempt: 'compare with the image', path: `/containers/${segment(id)}/changes`, signal };
    return toChangesView(await this.#engine.json(request, containerChanges));
  };

  readonly read: CallHandler<'files.read'> = async ({ id, path: file }, signal): Promise<FileText> => {
    const { archive, stat } = await this.#open(`read ${file}`, id, file, signal);
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

  /** A file as it is; a folder, or anything else, as an archive. */
  readonly download: StreamHandler<'files.download'> = ({ id, path: file }, context) => {
    const attempt = `download ${file}`;
    return download(this.#tasks, { kind: 'download', name: file, attempt }, context, async (signal) => {
      const { archive, stat } = await this.#open(attempt, id, file, signal);
      return stat.kind === 'file' ? { bytes: contentOf(archive), total: stat.sizeBytes } : { bytes: archive };
    });
  };

  readonly upload: StreamHandler<'files.upload'> = ({ id, folder, name, sizeBytes }, context) => {
    const attempt = `upload ${name}`;
    const subject = { kind: 'upload', name: path.posix.join(folder, name), attempt } as const;
    return upload(this.#tasks, subject, sizeBytes, context, async (bytes, _report, signal) => {
      await this.#engine.send({
        attempt,
        method: 'PUT',
        path: `/containers/${segment(id)}/archive`,
        query: { path: folder },
        upload: archiveOf(name, sizeBytes, bytes),
        signal,
        bulk: true,
        timeoutMs: 0,
      });
    });
  };

  /** A link is followed to what it means. */
  async #open(
    attempt: string,
    id: string,
    wanted: string,
    signal: AbortSignal,
  ): Promise<{ readonly archive: Readable; readonly stat: PathStat }> {
    const open = async (at: string) => {
      const archivePath = `/containers/${segment(id)}/archive`;
      const archive = await this.#engine.stream({
        attempt,
        path: archivePath,
        query: { path: at },
        signal,
        bulk: true,
      });
      return { archive, stat: parsePathStat(String(archive.headers['x-docker-container-path-stat'])) };
    };
    const found = await open(wanted);
    if (found.stat.kind !== 'link') return found;
    found.archive.destroy();
    return open(found.stat.target);
  }
}

/** The bytes of an archive's one file. */
async function* contentOf(archive: Readable): AsyncGenerator<Buffer, void, undefined> {
  const reader = extract();
  const reading = pipeline(archive, reader);
  // Told by the iteration, when it is not over by then.
  reading.catch(() => undefined);
  for await (const entry of reader) {
    yield* entry as AsyncIterable<Buffer>;
    return;
  }
  await reading;
}

/** One file, owned by the container's root. */
async function* archiveOf(
  name: string,
  size: number,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const archive = pack();
  const entry = archive.entry({ name, size, mode: 0o644, mtime: new Date() });
  const filling = pipeline(bytes, entry).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  yield* archive as AsyncIterable<Buffer>;
  await filling;
}
