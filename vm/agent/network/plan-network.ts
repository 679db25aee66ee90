/** Checks a request for a new network and chooses what it leaves open. Pure; wording as Docker's. */
import { EngineError } from '../../contract/errors.ts';
import { addressText, createAddressPool, parseSubnet, type ParsedSubnet } from './address-pool.ts';
import type { NetworkRecord, NetworkRequest, Subnet } from './network.ts';
import { bridgeName, isPredefined } from './networks.ts';

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const predefinedNames = new Set(['bridge', 'host', 'none', 'default']);
/** Linux' limit on the name of a link, IFNAMSIZ less the final zero. */
const maxLinkName = 15;
/** Where networks without a subnet get one, in this order: `[first, prefix length of each, how many]`; Docker's own defaults. */
const defaultPools: readonly (readonly [string, number, number])[] = [
  ['172.18.0.0', 16, 14],
  ['192.168.0.0', 20, 16],
];

/** Throws `invalid-parameter`, `conflict` (name, bridge name) or `forbidden` (overlap). */
export function planNetwork(
  id: string,
  request: NetworkRequest,
  existing: readonly NetworkRecord[],
  reserved: readonly string[],
): NetworkRecord {
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
  const { name, internal, attachable, options, labels } = request;
  const taken = [...existing.flatMap(({ subnets }) => subnets.map(({ subnet }) => subnet)), ...reserved].map(
    parseSubnet,
  );
  const subnets = [planSubnet(request.ipam, taken)];
  const record: NetworkRecord = {
    id,
    name,
    driver: 'bridge',
    createdAtMs: Date.now(),
    internal,
    attachable,
    subnets,
    options,
    labels,
  };
  checkBridge(record, existing);
  return record;
}

function planSubnet(ipam: NetworkRequest['ipam'], taken: readonly ParsedSubnet[]): Subnet {
  if (ipam.subnet === undefined) {
    if (ipam.gateway !== undefined || ipam.range !== undefined || Object.keys(ipam.auxiliary ?? {}).length > 0) {
      throw new EngineError('invalid-parameter', 'no matching subnet for gateway, range or auxiliary addresses');
    }
    const free = freeSubnet(taken);
    return { subnet: free, gateway: addressText(parseSubnet(free).base + 1) };
  }
  const wanted = parseSubnet(ipam.subnet);
  if (wanted.prefixLength > 30) {
    throw new EngineError('invalid-parameter', `invalid subnet ${ipam.subnet}: it has no room for containers`);
  }
  if (taken.some((one) => overlaps(one, wanted))) {
    throw new EngineError('forbidden', 'Pool overlaps with other one on this address space');
  }
  const planned: Subnet = {
    subnet: ipam.subnet,
    gateway: ipam.gateway ?? addressText((ipam.range === undefined ? wanted : parseSubnet(ipam.range)).base + 1),
    ...(ipam.range === undefined ? {} : { range: ipam.range }),
    ...(ipam.auxiliary === undefined ? {} : { auxiliary: ipam.auxiliary }),
  };
  poolOf(planned); // Checks that all of it lies within the subnet.
  return planned;
}

export function poolOf({ subnet, gateway, range, auxiliary }: Subnet): ReturnType<typeof createAddressPool> {
  return createAddressPool(subnet, gateway, {
    ...(range === undefined ? {} : { range }),
    reserved: Object.values(auxiliary ?? {}),
  });
}

function freeSubnet(taken: readonly ParsedSubnet[]): string {
  for (const [first, prefixLength, count] of defaultPools) {
    const { base } = parseSubnet(`${first}/${prefixLength}`);
    for (let index = 0; index < count; index++) {
      const candidate = `${addressText(base + index * 2 ** (32 - prefixLength))}/${prefixLength}`;
      if (!taken.some((one) => overlaps(one, parseSubnet(candidate)))) return candidate;
    }
  }
  throw new EngineError('system', 'all predefined address pools have been fully subnetted', {
    hint: 'remove networks that are not used: docker network prune',
  });
}

function overlaps(one: ParsedSubnet, other: ParsedSubnet): boolean {
  return one.base <= other.last && other.base <= one.last;
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
