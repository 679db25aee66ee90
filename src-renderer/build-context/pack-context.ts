/** The folder of a build as one archive. Nothing is read here but `.dockerignore`: a Blob takes its files as they are sent. */
import { ignoreFilter, readIgnoreFile } from '../../vm/contract/file-patterns.ts';
import { tarEnd, tarHeader, tarPadding } from './tar-header.ts';

export interface ContextFile {
  /** Within the folder. */
  readonly path: string;
  readonly file: File;
}

export interface PackedContext {
  readonly archive: Blob;
  readonly files: number;
  readonly sizeBytes: number;
  /** Files that `.dockerignore` names. */
  readonly leftOut: number;
}

const ignoreFile = '.dockerignore';

/** @param dockerfile goes along even if it is ignored; the engine takes it out again */
export async function packContext(files: readonly ContextFile[], dockerfile: string): Promise<PackedContext> {
  const own = files.find(({ path }) => path === `${dockerfile}${ignoreFile}`);
  const rules = own ?? files.find(({ path }) => path === ignoreFile);
  const isIgnored = ignoreFilter(rules ? readIgnoreFile(await rules.file.text()) : []);
  const always = [dockerfile, ignoreFile];
  const kept = files.filter(({ path }) => always.includes(path) || !isIgnored(path));
  const parts: BlobPart[] = [];
  let sizeBytes = 0;
  for (const { path, file } of kept) {
    parts.push(...tarHeader({ path, sizeBytes: file.size, modifiedAtMs: file.lastModified }));
    parts.push(file, tarPadding(file.size));
    sizeBytes += file.size;
  }
  parts.push(tarEnd);
  return { archive: new Blob(parts), files: kept.length, sizeBytes, leftOut: files.length - kept.length };
}

/** Of what a folder input gives; its paths begin with the folder's own name. */
export function contextFiles(chosen: Iterable<File>): {
  readonly folder: string;
  readonly files: readonly ContextFile[];
} {
  let folder = '';
  const files = Array.from(chosen, (file) => {
    const [top = '', ...rest] = file.webkitRelativePath.split('/');
    folder = top;
    return { path: rest.join('/'), file };
  });
  return { folder, files };
}
