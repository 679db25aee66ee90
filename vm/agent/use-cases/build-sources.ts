/** What COPY and ADD name: files of the context, of another stage or image, heredocs, downloads. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, lstat, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../contract/errors.ts';
import { errorText } from '../log.ts';
import { expandText } from '../build/expansion.ts';
import type { Variables } from '../build/expansion.ts';
import { heredocMark, heredocText } from '../build/heredoc.ts';
import { hasWildcards, isIgnored, matchesName, readIgnoreFile } from '../../contract/file-patterns.ts';
import type { CopyAction } from '../build/instruction.ts';
import type { UnpackProgram } from '../snapshots/unpack-program.ts';
import type { BuildFolder } from './build-folder.ts';
import type { ImageParts } from './image-parts.ts';
import { resolveBeneath } from './resolve-beneath.ts';

export interface CopySource {
  /** Its last name, for a destination that is a folder. */
  readonly name: string;
  /** A path in the guest, links followed. */
  readonly file: string;
  readonly isFolder: boolean;
  /** Brought from a URL: never unpacked. */
  readonly isRemote: boolean;
}

/** Rejects in Docker's words when something is missing or outside. */
export async function findSources(
  action: CopyAction,
  place: {
    readonly root: string;
    readonly folder: BuildFolder;
    readonly images: Pick<ImageParts, 'download'>;
    readonly variables: Variables;
    readonly escape: string;
  },
  signal: AbortSignal,
): Promise<CopySource[]> {
  const found: CopySource[] = [];
  let heredoc = 0;
  for (const word of action.sources) {
    const mark = heredocMark(word);
    const text = mark === undefined ? undefined : action.heredocs[heredoc];
    if (text !== undefined) {
      heredoc += 1;
      const file = path.join(await place.folder.make('heredoc'), 'text');
      const plain = heredocText(text);
      await writeFile(file, text.expands ? expandText(plain, place.variables, place.escape) : plain);
      await chmod(file, 0o644);
      found.push({ name: text.name, file, isFolder: false, isRemote: false });
    } else if (action.verb === 'ADD' && /^https?:\/\//.test(word)) {
      found.push(await download(place, word, signal));
    } else found.push(...(await findFiles(action, place.root, word)));
  }
  if (found.length === 0)
    throw new EngineError('invalid-parameter', `${action.verb} failed: no source files were specified`);
  return found;
}

async function findFiles(action: CopyAction, root: string, word: string): Promise<CopySource[]> {
  const parts = word.split('/').filter((part) => part !== '' && part !== '.');
  let depth = 0;
  for (const part of parts) {
    depth += part === '..' ? -1 : 1;
    if (depth < 0 && action.from === '') {
      throw new EngineError(
        'invalid-parameter',
        `${action.verb} failed: forbidden path outside the build context: ${word} ()`,
      );
    }
  }
  const names = hasWildcards(word) ? await matchingPaths(root, parts) : [parts.join('/')];
  return Promise.all(
    names.map(async (name) => {
      const file = await resolveBeneath(root, name);
      if (file === undefined) {
        const where = action.from === '' ? 'file not found in build context or excluded by .dockerignore: ' : '';
        throw new EngineError('invalid-parameter', `${action.verb} failed: ${where}stat ${name}: file does not exist`);
      }
      const stats = await lstat(file);
      return { name: path.basename(name), file, isFolder: stats.isDirectory(), isRemote: false };
    }),
  );
}

/** In the order of their names. */
async function matchingPaths(root: string, parts: readonly string[]): Promise<string[]> {
  let found = [''];
  for (const part of parts) {
    const next: string[] = [];
    for (const folder of found) {
      const real = await resolveBeneath(root, folder);
      const names = real === undefined ? [] : await readdir(real).catch(() => []);
      next.push(...names.filter((name) => matchesName(part, name)).map((name) => path.join(folder, name)));
    }
    found = next.sort();
  }
  return found;
}

async function download(
  { folder, images }: { readonly folder: BuildFolder; readonly images: Pick<ImageParts, 'download'> },
  word: string,
  signal: AbortSignal,
): Promise<CopySource> {
  const url = URL.canParse(word) ? new URL(word) : undefined;
  const name = url === undefined ? undefined : fileNameOf(url);
  if (url === undefined || name === undefined)
    throw new EngineError('invalid-parameter', `ADD failed: ${word}: no file name`);
  const file = path.join(await folder.make('download'), 'file');
  try {
    const { chunks, modifiedAt } = await images.download(url, signal);
    await pipeline(chunks, createWriteStream(file, { mode: 0o600 }), { signal });
    await utimes(file, modifiedAt ?? 0, modifiedAt ?? 0);
  } catch (cause) {
    signal.throwIfAborted();
    throw new EngineError('invalid-parameter', `ADD failed: failed to GET ${word}: ${errorText(cause)}`, { cause });
  }
  return { name, file, isFolder: false, isRemote: true };
}

/** Empty for the address of a folder; undefined when it would lead elsewhere. */
function fileNameOf(url: URL): string | undefined {
  try {
    const name = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    return name.includes('/') || name === '..' ? undefined : name;
  } catch {
    return undefined; // %zz
  }
}

/** `file:…`, `dir:…` or `multi:…`: content, modes and names, but no times. */
export async function digestOf(
  sources: readonly CopySource[],
  program: UnpackProgram,
  signal: AbortSignal,
): Promise<string> {
  const digests: string[] = [];
  for (const { file, isFolder, name } of sources) {
    const source = { source: file, owner: { uid: 0, gid: 0 }, maxTime: 0, ...(isFolder ? {} : { as: name || 'file' }) };
    const { diffId } = await program.packLayer(source, {}, signal);
    digests.push(`${isFolder ? 'dir' : 'file'}:${diffId.slice('sha256:'.length)}`);
  }
  const [only = ''] = digests;
  if (digests.length === 1) return only;
  return `multi:${createHash('sha256').update(digests.join(',')).digest('hex')}`;
}

/** The client leaves out what `.dockerignore` names, but always sends these two, which the image may not be meant to have. */
export async function dropIgnored(context: string, dockerfile: string): Promise<void> {
  const file = await resolveBeneath(context, '.dockerignore');
  const stats = file === undefined ? undefined : await lstat(file);
  if (file === undefined || stats?.isFile() !== true) return;
  const patterns = readIgnoreFile(await readFile(file, 'utf8'));
  for (const name of [dockerfile, '.dockerignore']) {
    if (!isIgnored(patterns, name)) continue;
    const found = await resolveBeneath(context, path.dirname(name));
    if (found !== undefined) await rm(path.join(found, path.basename(name)), { force: true });
  }
}
