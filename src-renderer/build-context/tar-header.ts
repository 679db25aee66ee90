/** What stands before a file in a tar archive (POSIX ustar, with a pax record where that is too narrow). Pure. */

const blockBytes = 512;
const maxPathBytes = 100;
/** Eleven octal digits. */
const maxSizeBytes = 8 * 1024 ** 3 - 1;

const encoder = new TextEncoder();

export interface TarEntry {
  /** Relative, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/**
 * A browser does not say which files are executable: all are, as in a context that the docker command sends from Windows.
 */
export function tarHeader(entry: TarEntry): readonly Uint8Array<ArrayBuffer>[] {
  const { path, sizeBytes } = entry;
  const name = encoder.encode(path);
  const records = [
    ...(name.length > maxPathBytes || name.length !== path.length ? [paxRecord('path', path)] : []),
    ...(sizeBytes > maxSizeBytes ? [paxRecord('size', String(sizeBytes))] : []),
  ];
  const own = ustarBlock(name.subarray(0, maxPathBytes), Math.min(sizeBytes, maxSizeBytes), entry.modifiedAtMs, '0');
  if (records.length === 0) return [own];
  const body = encoder.encode(records.join(''));
  return [
    ustarBlock(encoder.encode('PaxHeader'), body.length, entry.modifiedAtMs, 'x'),
    body,
    tarPadding(body.length),
    own,
  ];
}

/** What fills a file up to whole blocks. */
export function tarPadding(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

export const tarEnd = new Uint8Array(2 * blockBytes);

/** `27 path=…\n`: the number counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const restBytes = encoder.encode(rest).length;
  let digits = 1;
  while (String(restBytes + digits).length > digits) digits += 1;
  return `${restBytes + digits}${rest}`;
}

function ustarBlock(
  name: Uint8Array,
  sizeBytes: number,
  modifiedAtMs: number,
  type: '0' | 'x',
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(blockBytes);
  const put = (at: number, text: string) => block.set(encoder.encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  block.set(name, 0);
  put(100, `${octal(0o755, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`);
  put(124, `${octal(sizeBytes, 11)}\0`);
  put(136, `${octal(Math.max(0, Math.floor(modifiedAtMs / 1000)), 11)}\0`);
  put(148, ' '.repeat(8));
  put(156, type);
  put(257, 'ustar\0' + '00');
  put(
    148,
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
  );
  return block;
}
