/** Writes a cpio archive in the "newc" format the kernel unpacks (Documentation/driver-api/early-userspace). */

/** One entry. Parents must come before what they hold. */
export type CpioEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | {
      readonly kind: 'device';
      readonly path: string;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    };

/** The archive's bytes: the same entries always give the same bytes. */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  entries.forEach((entry, index) => parts.push(...writeEntry(entry, index + 1)));
  parts.push(header('TRAILER!!!', { inode: 0, mode: 0, links: 1, size: 0, major: 0, minor: 0 }));
  const archive = Buffer.concat(parts);
  return Buffer.concat([archive, Buffer.alloc(padding(archive.length, 512))]);
}

function writeEntry(entry: CpioEntry, inode: number): Buffer[] {
  switch (entry.kind) {
    case 'folder':
      return [header(entry.path, { inode, mode: 0o040755, links: 2, size: 0, major: 0, minor: 0 })];
    case 'device': {
      const { mode, major, minor } = entry;
      return [header(entry.path, { inode, mode: 0o020000 | mode, links: 1, size: 0, major, minor })];
    }
    case 'file': {
      const size = entry.content.length;
      const fields = { inode, mode: 0o100000 | entry.mode, links: 1, size, major: 0, minor: 0 };
      return [header(entry.path, fields), Buffer.from(entry.content), Buffer.alloc(padding(size, 4))];
    }
  }
}

interface HeaderFields {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

function header(name: string, fields: HeaderFields): Buffer {
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  const nameBytes = Buffer.from(`${name}\0`);
  const numbers = [
    fields.inode,
    fields.mode,
    0, // uid
    0, // gid
    fields.links,
    0, // mtime
    fields.size,
    0, // device holding the file, major
    0, // and minor
    fields.major,
    fields.minor,
    nameBytes.length,
    0, // checksum, unused by newc
  ];
  const text = Buffer.from(`070701${numbers.map(hex).join('')}`);
  return Buffer.concat([text, nameBytes, Buffer.alloc(padding(text.length + nameBytes.length, 4))]);
}

function padding(length: number, unit: number): number {
  return (unit - (length % unit)) % unit;
}
