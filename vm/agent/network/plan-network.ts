/** Checks a request for a new network and chooses what it leaves open. Pure; wording as Docker's. */
import { EngineError } from '../../contract/errors.ts';
import { createAddressPool } from './address-pool.ts';
import type { IpamRequest, NetworkRecord, NetworkRequest, Subnet } from './network.ts';
import { bridgeName, isPredefined, mtuOption } from './networks.ts';
import { sharedKindOf } from './shared-kind.ts';
import {
  addressNumber,
  type Family,
  familyOf,
  invalidConfig,
  numberAddress,
  overlaps,
  parseSubnet,
  type ParsedSubnet,
  subnetText,
} from './subnets.ts';

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const predefinedNames = new Set(['bridge', 'host', 'none', 'default']);
/** RFC 791 and RFC 8200; above, what a bridge takes. */
const leastMtu = { inet: 68, inet6: 1280 } as const;
const largestMtu = 65535;
/** Linux' limit on the name of a link, IFNAMSIZ less the final zero. */
const maxLinkName = 15;
/** Networks without a subnet get one of these. */
export interface SubnetPool {
  readonly whole: string;
  readonly prefixLength: number;
}
/** In this order; Docker's own defaults. */
export const defaultInetPools: readonly SubnetPool[] = [
  ...Array.from({ length: 14 }, (_, index) => ({ whole: `172.${18 + index}.0.0/16`, prefixLength: 16 })),
  { whole: '192.168.0.0/16', prefixLength: 20 },
];
const inet6PrefixLength = 64;
/** Addresses are of one link, of nobody, or of IPv4: no containers' network. */
const unusableInet6 = ['fe80::/10', 'ff00::/8', '::/96', '::ffff:0:0/96'].map((subnet) => parseSubnet(subnet));

/** What a new network must fit in. */
export interface Surroundings {
  readonly networks: readonly NetworkRecord[];
  /** Subnets that are not to be overlapped. */
  readonly reserved: readonly string[];
  /** Where IPv4 subnets are chosen, the first pool first. */
  readonly inetPools: readonly SubnetPool[];
  /** Where IPv6 subnets are chosen. */
  readonly inet6Pool: string;
}

/** Throws `invalid-parameter`, `conflict` (name, bridge name) or `forbidden` (overlap). */
export function planNetwork(id: string, request: NetworkRequest, surroundings: Surroundings): NetworkRecord {
  const existing = surroundings.networks;
  if (!namePattern.test(request.name)) {
    throw new EngineError(
      'invalid-parameter',
      `invalid name: ${request.name.slice(0, 200)}: only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
    );
  }
  if (predefinedNames.has(request.name)) {
    throw new EngineError('forbidden', `operation is not permitted on predefined ${request.name} network`);
  }
  if (existing.some(({ name }) => name === request.name)) {
    throw new EngineError('conflict', `network with name ${request.name} already exists`);
  }
  const { name, driver, internal, attachable, options, labels } = request;
  const inUse = existing.flatMap(({ subnets }) => subnets.map(({ subnet }) => subnet));
  const taken = [...inUse, ...surroundings.reserved].map((subnet) => parseSubnet(subnet));
  const inet6Pools = [{ whole: surroundings.inet6Pool, prefixLength: inet6PrefixLength }];
  const subnets = [
    planSubnet(4, request.ipam, taken, surroundings.inetPools),
    ...(request.ipam6 === undefined ? [] : [planSubnet(6, request.ipam6, taken, inet6Pools)]),
  ];
  const record: NetworkRecord = {
    id,
    name,
    driver,
    createdAtMs: Date.now(),
    internal,
    attachable,
    subnets,
    options,
    labels,
  };
  if (driver === 'bridge') checkBridge(record, existing);
  else sharedKindOf(record);
  checkMtu(record);
  return record;
}

function planSubnet(
  family: Family,
  ipam: IpamRequest,
  taken: readonly ParsedSubnet[],
  pools: readonly SubnetPool[],
): Subnet {
  if (ipam.subnet === undefined) {
    if (ipam.gateway !== undefined || ipam.range !== undefined || Object.keys(ipam.auxiliary ?? {}).length > 0) {
      throw new EngineError('invalid-parameter', 'no matching subnet for gateway, range or auxiliary addresses');
    }
    const free = freeSubnet(taken, pools);
    return { subnet: subnetText(free), gateway: numberAddress(free.base + 1n, family) };
  }
  const wanted = parseSubnet(ipam.subnet);
  checkUsable(wanted);
  if (taken.some((one) => overlaps(one, wanted))) {
    throw new EngineError('forbidden', 'Pool overlaps with other one on this address space');
  }
  const range = ipam.range === undefined ? undefined : parseSubnet(ipam.range, 'ip-range');
  const planned: Subnet = {
    subnet: subnetText(wanted),
    gateway: canonical(ipam.gateway ?? numberAddress((range ?? wanted).base + 1n, family)),
    ...(range === undefined ? {} : { range: subnetText(range) }),
    ...(ipam.auxiliary === undefined ? {} : { auxiliary: ipam.auxiliary }),
  };
  poolOf(planned); // Checks that all of it lies within the subnet.
  return planned;
}

function checkUsable(subnet: ParsedSubnet): void {
  const { family, base, last } = subnet;
  const text = subnetText(subnet);
  if (last - base < 3n) throw invalidConfig(`invalid subnet ${text}: it has no room for containers`);
  if (family === 6 && unusableInet6.some((one) => overlaps(one, subnet))) {
    throw invalidConfig(`'${text}' is not a valid IPv6 subnet`);
  }
}

/** What is no address is left as it is, to be refused by name. */
const canonical = (address: string): string => {
  const family = familyOf(address);
  return family === undefined ? address : numberAddress(addressNumber(address), family);
};

export function poolOf({ subnet, gateway, ...limits }: Subnet): ReturnType<typeof createAddressPool> {
  return createAddressPool(subnet, gateway, limits);
}

function freeSubnet(taken: readonly ParsedSubnet[], pools: readonly SubnetPool[]): ParsedSubnet {
  for (const { whole, prefixLength } of pools) {
    const { family, base, last, prefixLength: wholeLength } = parseSubnet(whole);
    const size = (last - base + 1n) >> BigInt(prefixLength - wholeLength);
    let first = base;
    while (first < last) {
      const candidate: ParsedSubnet = { family, base: first, last: first + size - 1n, prefixLength };
      const holder = taken.find((one) => overlaps(one, candidate));
      if (holder === undefined) return candidate;
      // Past all of it: a large network in a pool of small ones holds a million of them.
      const next = holder.last > candidate.last ? holder.last : candidate.last;
      first = next - (next % size) + size;
    }
  }
  throw new EngineError('system', 'all predefined address pools have been fully subnetted', {
    hint: 'remove networks that are not used: docker network prune',
  });
}

function checkBridge(record: NetworkRecord, existing: readonly NetworkRecord[]): void {
  const link = bridgeName(record);
  if (!namePattern.test(link) || link.length > maxLinkName || link === 'lo' || /^(eth|veth)/.test(link)) {
    throw new EngineError('invalid-parameter', `invalid bridge name: ${link}`);
  }
  const holder = existing.find((one) => one.driver === 'bridge' && bridgeName(one) === link);
  if (holder !== undefined) {
    throw new EngineError(
      'forbidden',
      `cannot create network ${record.id} (${link}): conflicts with network ${holder.id} (${link}): networks have same bridge name`,
    );
  }
}

/** What the kernel would refuse only when the bridge is made, without a word why. */
function checkMtu({ options, subnets }: NetworkRecord): void {
  const text = options[mtuOption];
  if (text === undefined) return;
  const least = subnets.length > 1 ? leastMtu.inet6 : leastMtu.inet;
  if (!/^\d{1,5}$/.test(text) || Number(text) < least || Number(text) > largestMtu) {
    throw new EngineError('invalid-parameter', `invalid MTU number: ${text}: it is ${least} to ${largestMtu} here`);
  }
}

/** Throws `forbidden` for what every engine has. */
export function checkRemovable(record: NetworkRecord, endpoints: readonly { readonly containerName: string }[]): void {
  if (isPredefined(record)) {
    throw new EngineError('forbidden', `${record.name} is a pre-defined network and cannot be removed`);
  }
  const [first] = endpoints;
  if (first === undefined) return;
  throw new EngineError(
    'forbidden',
    `error while removing network: network ${record.name} has active endpoints (${endpoints.map((one) => `name:"${one.containerName}"`).join(', ')})`,
    { hint: `disconnect them first: docker network disconnect ${record.name} ${first.containerName}` },
  );
}
