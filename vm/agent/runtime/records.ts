/** Records: how the agent and the monitor talk; the layout is in `native/common/records.h`. */

export interface MonitorRecord {
  readonly tag: number;
  readonly numbers: readonly number[];
  readonly strings: readonly string[];
}

const headerBytes = 12;
const maxRecordBytes = 16 << 20;

/** One record as bytes. Strings must not hold NUL; numbers are integers. */
export function encodeRecord(
  tag: number,
  numbers: readonly (number | bigint)[] = [],
  strings: readonly string[] = [],
  blob: Buffer = Buffer.alloc(0),
): Buffer {
  const encoded = strings.map((string) => {
    if (string.includes('\0')) throw new Error(`a NUL byte in ${JSON.stringify(string)}`);
    return Buffer.from(`${string}\0`);
  });
  const stringBytes = encoded.reduce((sum, string) => sum + string.length, 0);
  const head = Buffer.alloc(headerBytes + numbers.length * 8);
  head.writeUInt32LE(head.length + stringBytes + blob.length - 4, 0);
  head.writeUInt16LE(tag, 4);
  head.writeUInt16LE(numbers.length, 6);
  head.writeUInt32LE(strings.length, 8);
  numbers.forEach((number, index) => {
    head.writeBigInt64LE(BigInt.asIntN(64, BigInt(number)), headerBytes + index * 8);
  });
  return Buffer.concat([head, ...encoded, blob]);
}

/**
 * The record at the start of `data` and the bytes it takes, or undefined while it is not complete.
 * Throws on what cannot be a record.
 */
export function decodeRecord(data: Buffer): { record: MonitorRecord; bytes: number } | undefined {
  if (data.length < headerBytes) return undefined;
  const size = data.readUInt32LE(0);
  if (size < headerBytes - 4 || size > maxRecordBytes) throw new Error(`a record of ${size} bytes`);
  const bytes = size + 4;
  if (data.length < bytes) return undefined;
  const numbersEnd = headerBytes + data.readUInt16LE(6) * 8;
  if (numbersEnd > bytes) throw new Error('a record shorter than its numbers');
  const numbers: number[] = [];
  for (let at = headerBytes; at < numbersEnd; at += 8) numbers.push(Number(data.readBigInt64LE(at)));
  const strings: string[] = [];
  let at = numbersEnd;
  for (let left = data.readUInt32LE(8); left > 0; left--) {
    const end = data.indexOf(0, at);
    if (end < 0 || end >= bytes) throw new Error('a record shorter than its strings');
    strings.push(data.toString('utf8', at, end));
    at = end + 1;
  }
  return { record: { tag: data.readUInt16LE(4), numbers, strings }, bytes };
}
