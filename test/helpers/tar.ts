/** Tar archives written by hand, also such as no tool would write. */

export interface TarEntry {
  readonly name: string;
  /** '0' file (default), '1' hard link, '2' symlink, '3' char, '4' block, '5' folder, '6' fifo, or anything else. */
  readonly type?: string;
  readonly data?: Buffer | string;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly device?: readonly [number, number];
  /** Records of a PAX header before it. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
  /** Lies about the data's length. */
  readonly size?: number;
}

export function tar(...entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(entryBytes), Buffer.alloc(1024)]);
}

function entryBytes(entry: TarEntry): Buffer {
  const data = Buffer.from(entry.data ?? '');
  const pax = entry.pax === undefined ? [] : [paxHeader(entry.pax)];
  return Buffer.concat([...pax, header(entry, entry.size ?? data.length), data, padding(data.length)]);
}

function paxHeader(records: Readonly<Record<string, string | Buffer>>): Buffer {
  const data = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, Buffer.from(value))));
  return Buffer.concat([header({ name: 'PaxHeaders/x', type: 'x' }, data.length), data, padding(data.length)]);
}

function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(entry: TarEntry, size: number): Buffer {
  const bytes = Buffer.alloc(512);
  const octal = (value: number, offset: number, length: number): void => {
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
  };
  bytes.write(entry.name.slice(0, 100), 0, 'utf8');
  octal(entry.mode ?? (entry.type === '5' ? 0o755 : 0o644), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(entry.mtime ?? 1_700_000_000, 136, 12);
  bytes.write(entry.type ?? '0', 156, 'latin1');
  bytes.write((entry.link ?? '').slice(0, 100), 157, 'utf8');
  bytes.write('ustar\x0000', 257, 'latin1');
  octal(entry.device?.[0] ?? 0, 329, 8);
  octal(entry.device?.[1] ?? 0, 337, 8);
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

function padding(length: number): Buffer {
  return Buffer.alloc((512 - (length % 512)) % 512);
}
