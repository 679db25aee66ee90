/** Names of volumes in the window's words. Pure. */
import type { VolumeView } from '../../../src-main/contract/volumes.ts';

/** An unnamed volume's 64 digits are cut as those of an id. */
export function volumeTitle({ name, anonymous }: Pick<VolumeView, 'name' | 'anonymous'>): string {
  return anonymous && name.length > 20 ? name.slice(0, 12) : name;
}

/** What is wrong with a name for a new volume, as the engine has it; an empty one is made up. */
export function checkVolumeName(name: string): string | undefined {
  if (name === '') return undefined;
  if (name.length > 255) return 'At most 255 characters.';
  if (name.length < 2) return 'At least two characters.';
  if (!/^[a-zA-Z0-9]/.test(name)) return 'Start with a letter or a digit.';
  return /^[a-zA-Z0-9_.-]+$/.test(name) ? undefined : 'Only letters, digits and . _ - are allowed.';
}

/** What is wrong with the name of a volume that must have one. */
export function checkNewName(name: string): string | undefined {
  return name === '' ? 'Type a name.' : checkVolumeName(name);
}

/** The first of `data-copy`, `data-copy-2`… that is free. */
export function copyName(name: string, taken: readonly string[]): string {
  const base = `${name.slice(0, 200)}-copy`;
  for (let count = 1; ; count += 1) {
    const wanted = count === 1 ? base : `${base}-${count}`;
    if (!taken.includes(wanted)) return wanted;
  }
}

/** `web-data.tar.gz` was `web-data`; empty when nothing of it can name a volume. */
export function nameOfArchive(file: string): string {
  return file
    .replace(/(\.tar)?(\.(gz|zst|xz|bz2|tgz|tar))?$/i, '')
    .replaceAll(/[^\w.-]+/g, '-')
    .replace(/^[^a-z\d]+/i, '')
    .slice(0, 200);
}
