/** Addresses of one IPv4 subnet: which are taken. In memory; rebuilt from the endpoints at start. */
import { isIPv4 } from 'node:net';
import { EngineError } from '../../contract/errors.ts';

export interface AddressPool {
  readonly subnet: string;
  readonly prefixLength: number;
  readonly gateway: string;
  /** The wanted one, else the lowest free one (so a container started again mostly keeps its address). */
  take(wanted?: string): string;
  /** Succeeds when it was not taken. */
  release(address: string): void;
  contains(address: string): boolean;
}

export interface PoolLimits {
  /** Only addresses of this part are given away unasked. */
  readonly range?: string;
  /** Never given away. */
  readonly reserved?: readonly string[];
}

/** @param subnet `172.17.0.0/16` @param gateway An address in it, never given away. */
export function createAddressPool(subnet: string, gateway: string, limits: PoolLimits = {}): AddressPool {
  const { base, last, prefixLength } = parseSubnet(subnet);
  const isHost = (number: number): boolean => number > base && number < last;
  const gatewayNumber = addressNumber(gateway);
  if (!isHost(gatewayNumber)) {
    throw new EngineError('invalid-parameter', `gateway ${gateway} is not a host address in ${subnet}`);
  }
  const part = parseSubnet(limits.range ?? subnet);
  if (part.base < base || part.last > last) {
    throw new EngineError('invalid-parameter', `invalid ip range ${limits.range ?? ''}: it is not within ${subnet}`);
  }
  const reserved = (limits.reserved ?? []).map(addressNumber);
  if (!reserved.every(isHost)) {
    throw new EngineError('invalid-parameter', `no auxiliary address may lie outside of ${subnet}`);
  }
  const kept = new Set([base, gatewayNumber, last, ...reserved]);
  const taken = new Set(kept);
  /** No free address is below it. */
  let lowest = part.base;

  const takeWanted = (wanted: string): string => {
    const number = addressNumber(wanted);
    if (!isHost(number)) {
      throw new EngineError(
        'invalid-parameter',
        `invalid address ${wanted}: it does not belong to any of this network's subnets`,
      );
    }
    if (taken.has(number)) throw new EngineError('forbidden', 'Address already in use');
    taken.add(number);
    return wanted;
  };

  return {
    subnet,
    prefixLength,
    gateway,
    take(wanted) {
      if (wanted !== undefined) return takeWanted(wanted);
      while (taken.has(lowest)) lowest++;
      if (lowest > part.last)
        throw new EngineError('system', `no available IPv4 addresses on this network's subnet ${subnet}`);
      taken.add(lowest);
      return addressText(lowest);
    },
    release(address) {
      const number = addressNumber(address);
      if (!isHost(number) || kept.has(number)) return;
      if (taken.delete(number) && number >= part.base) lowest = Math.min(lowest, number);
    },
    contains: (address) => isIPv4(address) && isHost(addressNumber(address)),
  };
}

/** Docker's way: the address is in the MAC, so that an address used again does not meet a stale neighbour entry. */
export function macOfAddress(address: string): string {
  return ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');
}

export interface ParsedSubnet {
  /** First and last address, as numbers. */
  readonly base: number;
  readonly last: number;
  readonly prefixLength: number;
}

/** `172.17.0.0/16`. Throws `invalid-parameter`. */
export function parseSubnet(subnet: string): ParsedSubnet {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(subnet);
  const prefixLength = Number(match?.[2]);
  if (match?.[1] === undefined || !isIPv4(match[1]) || prefixLength < 8 || prefixLength > 31) {
    throw new EngineError('invalid-parameter', `Invalid subnet ${subnet} : invalid CIDR address: ${subnet}`);
  }
  const base = addressNumber(match[1]);
  if (base % 2 ** (32 - prefixLength) !== 0) {
    throw new EngineError(
      'invalid-parameter',
      `invalid subnet ${subnet}: it should start at ${addressText(base - (base % 2 ** (32 - prefixLength)))}`,
    );
  }
  return { base, last: base + 2 ** (32 - prefixLength) - 1, prefixLength };
}

/** The subnet of an address: `10.0.2.15/24` → `10.0.2.0/24`. */
export function subnetAround(cidr: string): string {
  const [address = '', prefix = ''] = cidr.split('/');
  const number = addressNumber(address);
  return `${addressText(number - (number % 2 ** (32 - Number(prefix))))}/${prefix}`;
}

function addressNumber(address: string): number {
  if (!isIPv4(address)) throw new EngineError('invalid-parameter', `invalid IPv4 address: ${address}`);
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
