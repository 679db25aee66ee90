/** Follows a path inside a folder as if that folder were "/", so that symbolic links cannot lead out of it. */
import { lstat, readlink } from 'node:fs/promises';
import path from 'node:path';

const maxLinks = 40;

/** The real path, or undefined when it does not exist. For folders that nobody changes meanwhile. */
export async function resolveBeneath(root: string, inside: string): Promise<string | undefined> {
  let pending = inside.split('/');
  let resolved: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const [name = '', ...rest] = pending;
    pending = rest;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      resolved.pop();
      continue;
    }
    const candidate = path.join(root, ...resolved, name);
    const stats = await lstat(candidate).catch(() => undefined);
    if (stats === undefined) return undefined;
    if (!stats.isSymbolicLink()) {
      resolved.push(name);
      continue;
    }
    links += 1;
    if (links > maxLinks) return undefined;
    const target = await readlink(candidate);
    if (target.startsWith('/')) resolved = [];
    pending = [...target.split('/'), ...pending];
  }
  return path.join(root, ...resolved);
}
