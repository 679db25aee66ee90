/** IP addresses as the kernel has them (4 or 16 bytes, in network order) and as people write them. Pure. */
import { isIPv4, isIPv6 } from 'node:net';

const groupCount = 8;

/** Throws `TypeError` for what is not an address; one of IPv6 with a zone (`fe80::1%eth0`) is not. */
export function addressBytes(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) throw new TypeError(`not an IP address: ${text}`);
  const [head = '', tail] = withoutDots(text).split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array<number>(groupCount - before.length - after.length).fill(0);
  const bytes = Buffer.alloc(2 * groupCount);
  [...before, ...zeros, ...after].forEach((group, index) => bytes.writeUInt16BE(group, 2 * index));
  return bytes;
}

/** Of IPv6 the canonical form (RFC 5952). */
export function addressText(bytes: Buffer): string {
  if (bytes.length !== 2 * groupCount) return [...bytes].join('.');
  const groups = Array.from({ length: groupCount }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  const run = longestZeros(groups);
  if (run.length < 2) return groups.join(':');
  return `${groups.slice(0, run.start).join(':')}::${groups.slice(run.start + run.length).join(':')}`;
}

/** `::ffff:192.0.2.1` → `::ffff:c000:201` */
function withoutDots(text: string): string {
  return text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
}

const groupsOf = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));

/** The first of the longest. */
function longestZeros(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > longest.length) longest = { start, length: end - start };
  }
  return longest;
}
