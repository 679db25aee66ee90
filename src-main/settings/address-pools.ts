/** Pools of IPv4 addresses that networks get their subnets from, as they are typed: `10.10.0.0/16:24`. Pure. */
import { isIPv4 } from 'node:net';

export interface AddressPool {
  readonly base: string;
  /** Of the pool. */
  readonly prefixLength: number;
  /** Prefix length of each network. */
  readonly size: number;
}

const maxPools = 64;
/** A /7 takes in more than any private range; a /31 has no room for a gateway and a container. */
const [shortestPrefix, longestPrefix] = [8, 30];
/** The engine's own: the default network, and the VM's link to this machine. A pool within one is never of use. */
const heldByEngine: readonly AddressPool[] = [
  { base: '172.17.0.0', prefixLength: 16, size: 16 },
  { base: '10.0.2.0', prefixLength: 24, size: 24 },
];

/** Undefined: no pool. An address within is made the first of it, as `10.10.1.2/16` means `10.10.0.0/16`. */
export function readPool(text: string): AddressPool | undefined {
  const [, address = '', prefix = '', size = ''] = /^([\d.]+)\/(\d{1,2}):\/?(\d{1,2})$/.exec(text) ?? [];
  if (!isIPv4(address)) return undefined;
  const pool = { base: address, prefixLength: Number(prefix), size: Number(size) };
  return { ...pool, base: addressText(firstOf(pool)) };
}

export function poolText({ base, prefixLength, size }: AddressPool): string {
  return `${base}/${prefixLength}:${size}`;
}

/** What is wrong with them, or undefined. */
export function poolsProblem(pools: readonly AddressPool[]): string | undefined {
  if (pools.length > maxPools) return `more than ${maxPools} are too many`;
  for (const [index, pool] of pools.entries()) {
    const { prefixLength, size } = pool;
    const text = poolText(pool);
    if (prefixLength < shortestPrefix || prefixLength > longestPrefix) {
      return `${text}: the pool must be from /${shortestPrefix} to /${longestPrefix}`;
    }
    if (size < prefixLength || size > longestPrefix) {
      return `${text}: its networks must be from /${prefixLength} to /${longestPrefix}`;
    }
    if (!isUnicast(pool)) return `${text}: these addresses are no network's`;
    const other = pools.slice(0, index).find((one) => overlaps(one, pool));
    if (other !== undefined) return `${text} overlaps with ${poolText(other)}`;
    const holder = heldByEngine.find((one) => overlaps(one, pool) && one.prefixLength <= prefixLength);
    if (holder !== undefined) return `${text}: the engine itself has ${holder.base}/${holder.prefixLength}`;
  }
  return undefined;
}

/** Neither this machine's own (0/8, 127/8) nor of groups and beyond (224/4 and up). */
function isUnicast(pool: AddressPool): boolean {
  const first = firstOf(pool) >>> 24;
  const last = lastOf(pool) >>> 24;
  return first !== 0 && last < 224 && !(first <= 127 && last >= 127);
}

function overlaps(one: AddressPool, other: AddressPool): boolean {
  return firstOf(one) <= lastOf(other) && firstOf(other) <= lastOf(one);
}

function firstOf({ base, prefixLength }: AddressPool): number {
  const size = 2 ** (32 - prefixLength);
  return Math.floor(addressNumber(base) / size) * size;
}

function lastOf(pool: AddressPool): number {
  return firstOf(pool) + 2 ** (32 - pool.prefixLength) - 1;
}

function addressNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
