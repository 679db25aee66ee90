/** The addresses of a place in a network, of both families: asked for, taken, given back; and where they lead out. */
import { EngineError } from '../../contract/errors.ts';
import { type AddressPool, invalidPlace } from './address-pool.ts';
import type { EndpointRecord } from './endpoint-store.ts';
import type { EndpointSettings, NetworkRecord } from './network.ts';
import { inet6SubnetOf, isPredefined, leadsOut } from './networks.ts';
import { familyOf } from './subnets.ts';

interface Pools {
  readonly pool: AddressPool;
  /** Undefined: without IPv6. */
  readonly pool6: AddressPool | undefined;
}
type Addresses = Pick<EndpointRecord, 'address' | 'inet6'>;

/** Throws `invalid-parameter`, worded as Docker's. */
export function checkSettings(network: NetworkRecord, { address, address6, aliases }: EndpointSettings): void {
  for (const [family, wanted] of [
    [4, address],
    [6, address6],
  ] as const) {
    if (wanted !== undefined && familyOf(wanted) !== family) {
      throw invalidPlace(`invalid IPv${family} address: ${wanted}`);
    }
  }
  if (!isPredefined(network)) {
    if (address6 === undefined || inet6SubnetOf(network) !== undefined) return;
    throw invalidPlace(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  }
  if (address !== undefined || address6 !== undefined) {
    throw new EngineError('invalid-parameter', 'user specified IP address is supported on user defined networks only');
  }
  if (aliases.length > 0) {
    throw new EngineError(
      'invalid-parameter',
      'network-scoped alias is supported only for containers in user defined networks',
    );
  }
}

/** Both or neither. The IPv6 address goes along with that of IPv4, and so with the MAC, as long as nobody asks otherwise. */
export function takeAddresses(
  bridge: Pools | undefined,
  network: NetworkRecord,
  settings: EndpointSettings,
): Addresses {
  if (bridge === undefined) return { address: '' };
  const { pool, pool6 } = bridge;
  const address = pool.take(settings.address);
  if (pool6 === undefined) return { address };
  try {
    const address6 = pool6.take(settings.address6, pool.offsetOf(address));
    const { prefixLength, gateway } = pool6;
    return { address, inet6: { address: address6, prefixLength, gateway: leadsOut(network) ? gateway : '' } };
  } catch (cause) {
    pool.release(address);
    throw cause;
  }
}

export const withoutInet6 = (bridge: Pools | undefined): Pools | undefined =>
  bridge === undefined ? undefined : { pool: bridge.pool, pool6: undefined };

/** Succeeds for those that were not taken. */
export function releaseAddresses(bridge: Pools | undefined, { address, inet6 }: Addresses): void {
  if (address !== '') bridge?.pool.release(address);
  if (inet6 !== undefined) bridge?.pool6?.release(inet6.address);
}

/** Those of before the agent's restart. */
export function retakeAddresses(bridge: Pools | undefined, { address, inet6 }: Addresses): void {
  if (bridge?.pool.contains(address) === true) bridge.pool.take(address);
  if (inet6 !== undefined && bridge?.pool6?.contains(inet6.address) === true) bridge.pool6.take(inet6.address);
}

/** By which gateways, and so in which places, the container's ways out begin: one for each family. */
export function gatewaysOf(endpoints: readonly EndpointRecord[]): ReadonlyMap<EndpointRecord, readonly string[]> {
  const out = wayOut(endpoints);
  const out6 = endpoints.find(({ inet6 }) => (inet6?.gateway ?? '') !== '');
  return new Map(
    endpoints.map((endpoint) => [
      endpoint,
      [
        ...(endpoint === out ? [endpoint.gateway] : []),
        ...(endpoint === out6 && endpoint.inet6 !== undefined ? [endpoint.inet6.gateway] : []),
      ],
    ]),
  );
}

/** The place by which the container reaches the world by IPv4, and is reached. */
export function wayOut(endpoints: readonly EndpointRecord[]): EndpointRecord | undefined {
  return endpoints.find(({ gateway }) => gateway !== '');
}
