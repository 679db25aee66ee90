/** Tells what is on a disk from its first and last bytes. A disk is only ever formatted when this says `empty`. */

/** XFS superblock fields, all big-endian; "XFS Algorithms & Data Structures", chapter 13. */
const xfs = { magic: 'XFSB', blockSize: 4, dataBlocks: 8, label: 108, labelLength: 12, inProgress: 126 } as const;

export const dataLabel = 'wherry-data';

export type DiskContent =
  /** Nothing but zeroes where any known format keeps its marks. */
  | { readonly kind: 'empty' }
  /** Our filesystem. */
  | { readonly kind: 'ours'; readonly filesystemBytes: number }
  /** Formatting our filesystem was cut short, before anything was stored. */
  | { readonly kind: 'half-formatted' }
  | { readonly kind: 'unknown'; readonly description: string };

/** How much of each end is looked at: beyond every partition table's and filesystem's first mark. */
export const inspectedBytes = 1024 * 1024;

/**
 * @param head The first {@link inspectedBytes} (or all) of the disk.
 * @param tail The last {@link inspectedBytes} (or all): partition tables and RAID keep a copy there.
 */
export function recogniseDisk(head: Buffer, tail: Buffer): DiskContent {
  if (head.length >= 512 && head.toString('latin1', 0, 4) === xfs.magic) {
    const label = head.toString('latin1', xfs.label, xfs.label + xfs.labelLength).replace(/\0+$/, '');
    if (label !== dataLabel) return { kind: 'unknown', description: `an XFS filesystem labelled "${label}"` };
    if (head[xfs.inProgress] === 1) return { kind: 'half-formatted' };
    const filesystemBytes = Number(head.readBigUInt64BE(xfs.dataBlocks)) * head.readUInt32BE(xfs.blockSize);
    return { kind: 'ours', filesystemBytes };
  }
  if (isZero(head) && isZero(tail)) return { kind: 'empty' };
  return { kind: 'unknown', description: describe(head) };
}

const marks: readonly { readonly offset: number; readonly bytes: string; readonly name: string }[] = [
  { offset: 512, bytes: 'EFI PART', name: 'a GPT partition table' },
  { offset: 0x438, bytes: '\x53\xef', name: 'an ext2/3/4 filesystem' },
  { offset: 0x10040, bytes: '_BHRfS_M', name: 'a btrfs filesystem' },
  { offset: 3, bytes: 'NTFS', name: 'an NTFS filesystem' },
  { offset: 0, bytes: 'LUKS', name: 'a LUKS encrypted volume' },
  { offset: 536, bytes: 'LVM2', name: 'an LVM volume' },
  { offset: 510, bytes: '\x55\xaa', name: 'a partition table or boot sector' },
];

function describe(head: Buffer): string {
  const found = marks.find(({ offset, bytes }) => head.toString('latin1', offset, offset + bytes.length) === bytes);
  return found?.name ?? 'data of an unknown kind';
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(Buffer.alloc(bytes.length));
}
