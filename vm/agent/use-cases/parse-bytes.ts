/** Sizes as people write them in options: `64m`, `1.5 GiB`, `1024`. Powers of 1024, as Docker reads sizes of memory and disks. */

const units = ['', 'k', 'm', 'g', 't', 'p'];

/** @returns whole bytes; undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * 1024 ** units.indexOf((match[2] ?? '').toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
