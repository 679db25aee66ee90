/** Where a build's files come from: an archive on the request's body, or what is at a URL. */
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../contract/errors.ts';
import { errorText } from '../log.ts';
import { isArchive, unpackArchive } from './build-archive.ts';
import type { BuildFolder } from './build-folder.ts';
import type { ImageParts } from './image-parts.ts';

export type BuildContext = Readable | URL;

/** `remote` of the query. @throws EngineError `not-implemented` for repositories, which clients clone themselves. */
export function parseRemote(text: string): URL {
  const url = /^https?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && !/\.git(#|$)/.test(text)) return url;
  throw new EngineError(
    'not-implemented',
    `build context ${text}: only the URL of an archive or a Dockerfile is supported. Clone the repository and send its files`,
  );
}

/**
 * Fills the build's folder. A URL leads to an archive, or to a Dockerfile, which then is the only file.
 * @returns the Dockerfile's name in the context.
 */
export async function bringContext(
  images: ImageParts,
  folder: BuildFolder,
  context: BuildContext,
  dockerfile: string,
  signal: AbortSignal,
): Promise<string> {
  const place = { root: folder.context };
  if (!(context instanceof URL)) {
    await unpackArchive(images.program, context, place, signal);
    return dockerfile;
  }
  const file = path.join(await folder.make('remote'), 'file');
  try {
    const { chunks } = await images.download(context, signal);
    await pipeline(chunks, createWriteStream(file, { mode: 0o600 }), { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new EngineError('invalid-parameter', `failed to GET ${context.href}: ${errorText(cause)}`, { cause });
  }
  if (await isArchive(file)) {
    await unpackArchive(images.program, createReadStream(file), place, signal);
    return dockerfile;
  }
  await copyFile(file, path.join(folder.context, 'Dockerfile'));
  return 'Dockerfile';
}
