/**
 * The disk that UEFI firmware boots: a GPT with one EFI system partition (FAT32) that holds one program under the path
 * firmware looks for. Made here byte by byte, so that neither administrator rights nor mounting are needed.
 * UEFI specification 2.10, chapter 5 (GPT) and section 13.3 (file system); Microsoft's FAT32 specification.
 */
import { crc32 } from 'node:zlib';
import { createHash } from 'node:crypto';

const sector = 512;
const partitionStart = 2048;
/** Entries of a GPT: 128 of 128 bytes, 32 sectors, at either end of the disk. */
const entrySectors = 32;
const reservedSectors = 32;
const rootCluster = 2;
const endOfChain = 0x0fff_ffff;
/** FAT32 is told from FAT16 by its number of clusters: at least this many. */
const leastClusters = 65_525;

const systemPartitionType = guid('c12a7328-f81f-11d2-ba4b-00a0c93ec93b');

/** The whole disk. `program` is started as `\EFI\BOOT\BOOTX64.EFI` (or `BOOTAA64.EFI`). The same input gives the same bytes. */
export function bootDisk(program: Buffer, architecture: 'amd64' | 'arm64'): Buffer {
  const partition = systemPartition(program, architecture === 'amd64' ? 'BOOTX64 EFI' : 'BOOTAA64EFI');
  const partitionSectors = partition.length / sector;
  const sectors = alignTo(partitionStart + partitionSectors + entrySectors + 1, 2048);
  const disk = Buffer.alloc(sectors * sector);
  partition.copy(disk, partitionStart * sector);
  writeTables(disk, sectors, partitionSectors, createHash('sha256').update(program).digest());
  return disk;
}

function writeTables(disk: Buffer, sectors: number, partitionSectors: number, identity: Buffer): void {
  // A protective MBR keeps old tools away: one partition of type 0xee over everything.
  disk.writeUInt8(0xee, 446 + 4);
  disk.writeUInt32LE(1, 446 + 8);
  disk.writeUInt32LE(Math.min(sectors - 1, 0xffff_ffff), 446 + 12);
  disk.writeUInt16LE(0xaa55, 510);

  const entries = Buffer.alloc(entrySectors * sector);
  systemPartitionType.copy(entries, 0);
  identity.copy(entries, 16, 0, 16);
  entries.writeBigUInt64LE(BigInt(partitionStart), 32);
  entries.writeBigUInt64LE(BigInt(partitionStart + partitionSectors - 1), 40);
  entries.write('EFI system partition', 56, 'utf16le');
  const primary = { own: 1, other: sectors - 1, entries: 2 };
  const backup = { own: sectors - 1, other: 1, entries: sectors - 1 - entrySectors };
  for (const place of [primary, backup]) {
    entries.copy(disk, place.entries * sector);
    gptHeader(place, sectors, identity, crc32(entries)).copy(disk, place.own * sector);
  }
}

function gptHeader(
  place: { own: number; other: number; entries: number },
  sectors: number,
  identity: Buffer,
  entriesCrc: number,
): Buffer {
  const header = Buffer.alloc(92);
  header.write('EFI PART', 0, 'latin1');
  header.writeUInt32LE(0x0001_0000, 8);
  header.writeUInt32LE(header.length, 12);
  header.writeBigUInt64LE(BigInt(place.own), 24);
  header.writeBigUInt64LE(BigInt(place.other), 32);
  header.writeBigUInt64LE(BigInt(2 + entrySectors), 40);
  header.writeBigUInt64LE(BigInt(sectors - 2 - entrySectors), 48);
  identity.copy(header, 56, 16, 32);
  header.writeBigUInt64LE(BigInt(place.entries), 72);
  header.writeUInt32LE(128, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(entriesCrc, 88);
  header.writeUInt32LE(crc32(header), 16);
  return header;
}

/** FAT32 with clusters of one sector: EFI/BOOT/<name>. */
function systemPartition(program: Buffer, shortName: string): Buffer {
  const fileClusters = Math.ceil(program.length / sector);
  const clusters = alignTo(Math.max(leastClusters + 16, fileClusters + 64), 128);
  const fatSectors = Math.ceil(((clusters + 2) * 4) / sector);
  const sectors = reservedSectors + 2 * fatSectors + clusters;
  const partition = Buffer.alloc(sectors * sector);
  const bootSector = fatBootSector(sectors, fatSectors);
  for (const at of [0, 6]) bootSector.copy(partition, at * sector);
  const used = 3 + fileClusters;
  for (const at of [1, 7]) fatInformation(clusters - used, rootCluster + used).copy(partition, at * sector);

  const fat = Buffer.alloc(fatSectors * sector);
  fat.writeUInt32LE(0x0fff_fff8, 0);
  fat.writeUInt32LE(endOfChain, 4);
  const [efi, boot, file] = [rootCluster + 1, rootCluster + 2, rootCluster + 3];
  for (const folder of [rootCluster, efi, boot]) fat.writeUInt32LE(endOfChain, folder * 4);
  for (let n = 0; n < fileClusters; n += 1) {
    fat.writeUInt32LE(n === fileClusters - 1 ? endOfChain : file + n + 1, (file + n) * 4);
  }
  for (const copy of [0, 1]) fat.copy(partition, (reservedSectors + copy * fatSectors) * sector);

  const at = (cluster: number) => (reservedSectors + 2 * fatSectors + cluster - rootCluster) * sector;
  folderEntry('EFI        ', efi, undefined).copy(partition, at(rootCluster));
  // The parent of a folder in the root is written as cluster 0.
  writeFolder(partition, at(efi), efi, 0, folderEntry('BOOT       ', boot, undefined));
  writeFolder(partition, at(boot), boot, efi, folderEntry(shortName, file, program.length));
  program.copy(partition, at(file));
  return partition;
}

function writeFolder(partition: Buffer, at: number, own: number, parent: number, entry: Buffer): void {
  folderEntry('.          ', own, undefined).copy(partition, at);
  folderEntry('..         ', parent, undefined).copy(partition, at + 32);
  entry.copy(partition, at + 64);
}

function folderEntry(name: string, cluster: number, sizeBytes: number | undefined): Buffer {
  const entry = Buffer.alloc(32);
  entry.write(name, 0, 11, 'latin1');
  entry.writeUInt8(sizeBytes === undefined ? 0x10 : 0x20, 11);
  entry.writeUInt16LE(cluster >>> 16, 20);
  // 1 January 2025, as every file of the guest image.
  entry.writeUInt16LE(((2025 - 1980) << 9) | (1 << 5) | 1, 24);
  entry.writeUInt16LE(cluster & 0xffff, 26);
  entry.writeUInt32LE(sizeBytes ?? 0, 28);
  return entry;
}

function fatBootSector(sectors: number, fatSectors: number): Buffer {
  const boot = Buffer.alloc(sector);
  Buffer.from([0xeb, 0x58, 0x90]).copy(boot, 0);
  boot.write('WHERRY  ', 3, 'latin1');
  boot.writeUInt16LE(sector, 11);
  boot.writeUInt8(1, 13);
  boot.writeUInt16LE(reservedSectors, 14);
  boot.writeUInt8(2, 16);
  boot.writeUInt8(0xf8, 21);
  boot.writeUInt16LE(63, 24);
  boot.writeUInt16LE(255, 26);
  boot.writeUInt32LE(partitionStart, 28);
  boot.writeUInt32LE(sectors, 32);
  boot.writeUInt32LE(fatSectors, 36);
  boot.writeUInt32LE(rootCluster, 44);
  boot.writeUInt16LE(1, 48);
  boot.writeUInt16LE(6, 50);
  boot.writeUInt8(0x80, 64);
  boot.writeUInt8(0x29, 66);
  boot.writeUInt32LE(0x57480001, 67);
  boot.write('WHERRYBOOT FAT32   ', 71, 'latin1');
  boot.writeUInt16LE(0xaa55, 510);
  return boot;
}

function fatInformation(free: number, next: number): Buffer {
  const information = Buffer.alloc(sector);
  information.writeUInt32LE(0x4161_5252, 0);
  information.writeUInt32LE(0x6141_7272, 484);
  information.writeUInt32LE(free, 488);
  information.writeUInt32LE(next, 492);
  information.writeUInt32LE(0xaa55_0000, 508);
  return information;
}

/** The first three fields of a GUID are little-endian on disk. */
function guid(text: string): Buffer {
  const [a = '', b = '', c = '', d = '', e = ''] = text.split('-');
  const reversed = (hex: string) => Buffer.from(hex, 'hex').reverse();
  return Buffer.concat([reversed(a), reversed(b), reversed(c), Buffer.from(d + e, 'hex')]);
}

function alignTo(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
