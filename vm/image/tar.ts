/** Writes small ustar archives in memory: seed disks and the starter image's layer. */

/** One entry; `mode` defaults to 0644 for files and 0755 for folders. */
export type TarEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode?: number; readonly content: Uint8Array | string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

const block = 512;

/**
 * The archive's bytes; owner 0:0, every time stamp `mtimeSeconds`.
 * @throws {RangeError} for a path that ustar's name field (100 bytes) cannot hold.
 */
export function writeTar(entries: readonly TarEntry[], mtimeSeconds: number): Buffer {
  const parts = entries.flatMap((entry) => writeEntry(entry, mtimeSeconds));
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function writeEntry(entry: TarEntry, mtimeSeconds: number): Buffer[] {
  switch (entry.kind) {
    case 'folder':
      return [header(`${entry.path}/`, '5', entry.mode ?? 0o755, 0, '', mtimeSeconds)];
    case 'link':
      return [header(entry.path, '2', 0o777, 0, entry.target, mtimeSeconds)];
    case 'file': {
      const content = Buffer.from(entry.content);
      const pad = Buffer.alloc((block - (content.length % block)) % block);
      return [header(entry.path, '0', entry.mode ?? 0o644, content.length, '', mtimeSeconds), content, pad];
    }
  }
}

function header(name: string, type: string, mode: number, size: number, target: string, mtime: number): Buffer {
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(target) > 100) {
    throw new RangeError(`'${name}' does not fit a ustar header`);
  }
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  const bytes = Buffer.alloc(block);
  bytes.write(name, 0);
  bytes.write(octal(mode, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(size, 12), 124);
  bytes.write(octal(mtime, 12), 136);
  bytes.write(' '.repeat(8), 148);
  bytes.write(type, 156);
  bytes.write(target, 157);
  bytes.write('ustar\x0000', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
