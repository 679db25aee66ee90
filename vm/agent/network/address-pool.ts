/** Addresses of one subnet, of IPv4 or IPv6: which are taken. In memory; rebuilt from the endpoints at start. */
import { EngineError } from '../../contract/errors.ts';
import {
  addressNumber,
  contains,
  familyOf,
  invalidConfig,
  numberAddress,
  parseSubnet,
  type ParsedSubnet,
} from './subnets.ts';

export interface AddressPool {
  readonly subnet: string;
  readonly prefixLength: number;
  readonly gateway: string;
  /**
   * The wanted one; else that at the offset, if it is free; else the lowest free one (so a container started again mostly keeps
   * its address).
   */
  take(wanted?: string, offset?: bigint): string;
  /** Succeeds when it was not taken. */
  release(address: string): void;
  contains(address: string): boolean;
  /** How far it is from the first that is given away unasked. */
  offsetOf(address: string): bigint;
}

export interface PoolLimits {
  /** Only addresses of this part are given away unasked. */
  readonly range?: string;
  /** Names to addresses never given away. */
  readonly auxiliary?: Readonly<Record<string, string>>;
}

/** @param subnet `172.17.0.0/16`, `fd00::/64` @param gateway An address in it, never given away. */
export function createAddressPool(subnet: string, gateway: string, limits: PoolLimits = {}): AddressPool {
  const whole = parseSubnet(subnet);
  const { family, base, prefixLength } = whole;
  // IPv6 has no broadcast address; its first one is that of any router (RFC 4291, 2.6.1).
  const last = family === 4 ? whole.last - 1n : whole.last;
  const isHost = (address: string): boolean => {
    if (familyOf(address) !== family) return false;
    const number = addressNumber(address);
    return number > base && number <= last;
  };
  const auxiliary = Object.entries(limits.auxiliary ?? {});
  const part = limits.range === undefined ? whole : rangeWithin(limits.range, whole, subnet);
  checkMember(`gateway ${gateway}`, gateway, whole, subnet);
  for (const [name, address] of auxiliary) checkMember(`auxiliary address ${name}`, address, whole, subnet);
  if (!isHost(gateway)) throw invalidConfig(`invalid gateway ${gateway}: it is not a host address of ${subnet}`);
  const kept = new Set([base, addressNumber(gateway), ...auxiliary.map(([, address]) => addressNumber(address))]);
  const taken = new Set(kept);
  /** No free address is below it. */
  let lowest = part.base;

  const takeWanted = (wanted: string): string => {
    if (!isHost(wanted)) {
      throw invalidPlace(`no configured subnet or ip-range contain the IP address ${wanted}`);
    }
    const number = addressNumber(wanted);
    if (taken.has(number)) throw new EngineError('forbidden', 'Address already in use');
    taken.add(number);
    return numberAddress(number, family);
  };
  const lastUnasked = part.last < last ? part.last : last;

  return {
    subnet,
    prefixLength,
    gateway,
    take(wanted, offset) {
      if (wanted !== undefined) return takeWanted(wanted);
      const preferred = offset === undefined ? undefined : part.base + offset;
      if (preferred !== undefined && preferred >= part.base && preferred <= lastUnasked && !taken.has(preferred)) {
        taken.add(preferred);
        return numberAddress(preferred, family);
      }
      while (taken.has(lowest)) lowest++;
      if (lowest > lastUnasked)
        throw new EngineError('system', `no available IPv${family} addresses on this network's subnet ${subnet}`);
      taken.add(lowest);
      return numberAddress(lowest, family);
    },
    release(address) {
      if (!isHost(address)) return;
      const number = addressNumber(address);
      if (kept.has(number)) return;
      if (taken.delete(number) && number >= part.base && number < lowest) lowest = number;
    },
    contains: isHost,
    offsetOf: (address) => addressNumber(address) - part.base,
  };
}

/** Docker's frame around what is wrong in what a container asks of a network. */
export const invalidPlace = (problem: string): EngineError =>
  new EngineError('invalid-parameter', `invalid endpoint settings:\n${problem}`);

function rangeWithin(range: string, whole: ParsedSubnet, subnet: string): ParsedSubnet {
  const part = parseSubnet(range, 'ip-range');
  const refuse = (reason: string): never => {
    throw invalidConfig(`invalid ip-range ${range}: ${reason}`);
  };
  if (part.family !== whole.family) refuse(`parent subnet is an IPv${whole.family} block`);
  if (part.prefixLength < whole.prefixLength) refuse(`CIDR block is bigger than its parent subnet ${subnet}`);
  if (part.base < whole.base || part.last > whole.last) refuse(`parent subnet ${subnet} doesn't contain ip-range`);
  return part;
}

/** @param what `gateway 10.0.0.1` */
function checkMember(what: string, address: string, whole: ParsedSubnet, subnet: string): void {
  const family = familyOf(address);
  if (family === undefined) throw invalidConfig(`invalid ${what}: invalid address`);
  if (family !== whole.family) throw invalidConfig(`invalid ${what}: parent subnet is an IPv${whole.family} block`);
  if (!contains(whole, address)) {
    throw invalidConfig(`invalid ${what}: parent subnet ${subnet} doesn't contain this address`);
  }
}

/** Docker's way: the IPv4 address is in the MAC, so that an address used again does not meet a stale neighbour entry. */
export function macOfAddress(address: string): string {
  return ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');
}
