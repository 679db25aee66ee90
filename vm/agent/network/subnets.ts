/** Subnets of IPv4 and IPv6 as ranges of numbers. Pure; words as Docker's. */
import { isIPv4, isIPv6 } from 'node:net';
import { EngineError } from '../../contract/errors.ts';
import { addressBytes, addressText } from '../kernel/netlink/addresses.ts';

export type Family = 4 | 6;

export interface ParsedSubnet {
  readonly family: Family;
  /** First and last address, as numbers. */
  readonly base: bigint;
  readonly last: bigint;
  readonly prefixLength: number;
}

const bitsOf: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };
/** A network of more than this is a mistake. */
const shortestPrefix = 8;

/** `172.17.0.0/16`, `fd00::/64`. Throws `invalid-parameter`. @param what For the error: `subnet`, `ip-range`. */
export function parseSubnet(text: string, what = 'subnet'): ParsedSubnet {
  const [, address = '', prefix = ''] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const family = familyOf(address);
  const prefixLength = Number(prefix);
  if (family === undefined || prefixLength < shortestPrefix || prefixLength > bitsOf[family]) {
    throw invalidConfig(`invalid ${what} ${text}: invalid CIDR block notation`);
  }
  const size = 1n << BigInt(bitsOf[family] - prefixLength);
  const base = addressNumber(address);
  if (base % size !== 0n) {
    const right = numberAddress(base - (base % size), family);
    throw invalidConfig(`invalid ${what} ${text}: it should be ${right}/${prefixLength}`);
  }
  return { family, base, last: base + size - 1n, prefixLength };
}

/** In its canonical form. */
export function subnetText({ family, base, prefixLength }: ParsedSubnet): string {
  return `${numberAddress(base, family)}/${prefixLength}`;
}

/** The subnet of an address: `10.0.2.15/24` → `10.0.2.0/24`. */
export function subnetAround(cidr: string): string {
  const [address = '', prefix = ''] = cidr.split('/');
  const family = familyOf(address) ?? 4;
  const number = addressNumber(address);
  return `${numberAddress(number - (number % (1n << BigInt(bitsOf[family] - Number(prefix)))), family)}/${prefix}`;
}

export function overlaps(one: ParsedSubnet, other: ParsedSubnet): boolean {
  return one.family === other.family && one.base <= other.last && other.base <= one.last;
}

export function contains({ family, base, last }: ParsedSubnet, address: string): boolean {
  if (familyOf(address) !== family) return false;
  const number = addressNumber(address);
  return base <= number && number <= last;
}

/** Undefined: not an address. */
export function familyOf(text: string): Family | undefined {
  if (isIPv4(text)) return 4;
  return isIPv6(text) && !text.includes('%') ? 6 : undefined;
}

/** Of what is an address. */
export const addressNumber = (address: string): bigint => BigInt(`0x${addressBytes(address).toString('hex')}`);

export function numberAddress(number: bigint, family: Family): string {
  return addressText(Buffer.from(number.toString(16).padStart(bitsOf[family] / 4, '0'), 'hex'));
}

/** Docker's frame around what is wrong in a request for a network. */
export const invalidConfig = (problem: string): EngineError =>
  new EngineError('invalid-parameter', `invalid network config:\n${problem}`);
