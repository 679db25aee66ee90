/**
 * A raw disk image as a fixed VHD, which is the raw bytes and a footer (Virtual Hard Disk Image Format Specification 1.0).
 * PowerShell then turns it into the VHDX that generation 2 machines take.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

const sector = 512;
/** Hyper-V takes whole mebibytes. */
const granularity = 1024 * 1024;

/** Writes `source` as a VHD to `target`, padded with zeros to whole mebibytes; `target` appears complete or not at all. */
export async function writeFixedVhd(source: string, target: string, signal?: AbortSignal): Promise<void> {
  const { size } = await stat(source);
  const sizeBytes = Math.ceil(size / granularity) * granularity;
  const temporary = `${target}.new`;
  async function* content(): AsyncGenerator<Buffer, void, undefined> {
    yield* createReadStream(source, { highWaterMark: granularity }) as AsyncIterable<Buffer>;
    yield Buffer.alloc(sizeBytes - size);
    yield vhdFooter(sizeBytes);
  }
  await pipeline(content, createWriteStream(temporary, { mode: 0o600 }), { ...(signal ? { signal } : {}) });
  await rename(temporary, target);
}

/** The 512 bytes after the content of a fixed disk of this size. The identity follows from the size. */
export function vhdFooter(sizeBytes: number): Buffer {
  const footer = Buffer.alloc(sector);
  footer.write('conectix', 0, 'latin1');
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x0001_0000, 12);
  footer.writeBigUInt64BE(0xffff_ffff_ffff_ffffn, 16);
  // For this creator readers trust the size below; for others some round it down to the geometry.
  footer.write('win ', 28, 'latin1');
  footer.writeUInt32BE(0x0001_0000, 32);
  footer.write('Wi2k', 36, 'latin1');
  footer.writeBigUInt64BE(BigInt(sizeBytes), 40);
  footer.writeBigUInt64BE(BigInt(sizeBytes), 48);
  const { cylinders, heads, sectors } = geometry(sizeBytes / sector);
  footer.writeUInt16BE(cylinders, 56);
  footer.writeUInt8(heads, 58);
  footer.writeUInt8(sectors, 59);
  footer.writeUInt32BE(2, 60);
  createHash('sha256').update(`wherry ${sizeBytes}`).digest().copy(footer, 68, 0, 16);
  footer.writeUInt32BE(checksum(footer), 64);
  return footer;
}

/** One's complement of the sum of all bytes, the checksum's own counted as zero. */
function checksum(footer: Buffer): number {
  return ~footer.reduce((sum, byte) => sum + byte, 0) >>> 0;
}

/** The specification's appendix: what an IDE disk of this size would answer. */
function geometry(total: number): { cylinders: number; heads: number; sectors: number } {
  if (total > 65_535 * 16 * 255) total = 65_535 * 16 * 255;
  let sectors = 255;
  let heads = 16;
  let cylinderTimesHeads = Math.floor(total / sectors);
  if (total < 65_535 * 16 * 63) {
    sectors = 17;
    cylinderTimesHeads = Math.floor(total / sectors);
    heads = Math.max(4, Math.floor((cylinderTimesHeads + 1023) / 1024));
    if (cylinderTimesHeads >= heads * 1024 || heads > 16) {
      sectors = 31;
      heads = 16;
      cylinderTimesHeads = Math.floor(total / sectors);
    }
    if (cylinderTimesHeads >= heads * 1024) {
      sectors = 63;
      heads = 16;
      cylinderTimesHeads = Math.floor(total / sectors);
    }
  }
  return { cylinders: Math.floor(cylinderTimesHeads / heads), heads, sectors };
}
