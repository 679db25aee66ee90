/** Writes tar archives of files that are there already (POSIX.1-2017 pax(1), "ustar Interchange Format"). */
import { createReadStream } from 'node:fs';

export interface TarMember {
  /** At most 100 bytes; a folder's ends with a slash. */
  readonly name: string;
  /** Bytes, or the file that has them. Nothing for a folder. */
  readonly content?: Buffer | { readonly file: string; readonly size: number };
}

const block = 512;
const maxOctalSize = 8 ** 11;

/** The whole archive. Throws when a file is not as long as was said. */
export async function* tarArchive(members: Iterable<TarMember>): AsyncGenerator<Buffer, void, void> {
  for (const { name, content } of members) {
    const size = content === undefined ? 0 : Buffer.isBuffer(content) ? content.length : content.size;
    yield tarHeader(name, size);
    if (Buffer.isBuffer(content)) yield content;
    else if (content !== undefined) yield* fileBytes(content.file, content.size);
    yield Buffer.alloc((block - (size % block)) % block);
  }
  yield Buffer.alloc(2 * block);
}

async function* fileBytes(file: string, size: number): AsyncGenerator<Buffer, void, void> {
  let left = size;
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new Error(`${file} is not ${size} bytes long`);
}

/** Owned by root, of 1970: the same content gives the same archive. */
function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(block);
  if (Buffer.byteLength(name) > 100) throw new Error(`the name ${name} is too long for the archive`);
  const isFolder = name.endsWith('/');
  header.write(name, 0, 'utf8');
  header.write(isFolder ? '0000755\0' : '0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  if (size < maxOctalSize) header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  else {
    header[124] = 0x80; // base-256, as GNU tar has it
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(isFolder ? '5' : '0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
