/** The three networks that every engine has, and how a network is found. */
import { createHash } from 'node:crypto';
import { EngineError } from '../../contract/errors.ts';
import { defaultNetwork } from './network-mode.ts';
import type { NetworkRecord, Subnet } from './network.ts';
import { familyOf } from './subnets.ts';

export const defaultBridge = {
  name: 'docker0',
  subnet: '172.17.0.0/16',
  gateway: '172.17.0.1',
} as const;

export const mtuOption = 'com.docker.network.driver.mtu';
const containersOption = 'com.docker.network.bridge.enable_icc';

/** @param instanceId Makes ids that differ between VMs and not between starts. */
export function defaultNetworks(instanceId: string, createdAtMs: number, mtu: number): readonly NetworkRecord[] {
  const record = (name: string, driver: NetworkRecord['driver']): NetworkRecord => ({
    id: createHash('sha256').update(`network ${instanceId} ${name}`).digest('hex'),
    name,
    driver,
    createdAtMs,
    internal: false,
    attachable: false,
    subnets: [],
    options: {},
    labels: {},
  });
  const bridge = {
    ...record(defaultNetwork, 'bridge'),
    subnets: [{ subnet: defaultBridge.subnet, gateway: defaultBridge.gateway }],
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      [containersOption]: 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
      'com.docker.network.bridge.name': defaultBridge.name,
      [mtuOption]: String(mtu),
    },
  };
  return [bridge, record('host', 'host'), record('none', 'null')];
}

/** Unique local addresses (RFC 4193) of this VM, a /48: IPv6 networks without a subnet get a part of it. */
export function inet6PoolOf(instanceId: string): string {
  const hex = createHash('sha256').update(`ula ${instanceId}`).digest('hex');
  return `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}::/48`;
}

/** Undefined: a network without IPv6. */
export function inet6SubnetOf({ subnets }: Pick<NetworkRecord, 'subnets'>): Subnet | undefined {
  return subnets.find(({ gateway }) => familyOf(gateway) === 6);
}

/** Its containers reach the world and are published, but do not reach one another. */
export const isolatesContainers = ({ options }: NetworkRecord): boolean => options[containersOption] === 'false';

/** Its containers reach the world by it. What those of macvlan and ipvlan share leads nowhere. */
export const leadsOut = ({ driver, internal }: NetworkRecord): boolean => driver === 'bridge' && !internal;

export const isPredefined = ({ name }: NetworkRecord): boolean => ['bridge', 'host', 'none'].includes(name);

/** Name of the guest's link in the network: its bridge, or the guest's own place on what containers share. */
export function bridgeName({ id, driver, options }: NetworkRecord): string {
  if (driver !== 'bridge') return `gw-${id.slice(0, 12)}`;
  return options['com.docker.network.bridge.name'] ?? `br-${id.slice(0, 12)}`;
}

/** Name of the link that containers of a network of macvlan or ipvlan share, as Docker names it. */
export const sharedParentName = ({ id }: NetworkRecord): string => `dm-${id.slice(0, 12)}`;

/** By name, id or unique id prefix, in this order. */
export function findNetwork(networks: readonly NetworkRecord[], nameOrId: string): NetworkRecord {
  const exact = networks.find(({ name, id }) => name === nameOrId || id === nameOrId);
  if (exact !== undefined) return exact;
  const matches = nameOrId === '' ? [] : networks.filter(({ id }) => id.startsWith(nameOrId));
  if (matches.length > 1) {
    throw new EngineError(
      'invalid-parameter',
      `network ${nameOrId} is ambiguous (${matches.length} matches found based on ID prefix)`,
    );
  }
  const [only] = matches;
  if (only === undefined) throw new EngineError('not-found', `network ${nameOrId} not found`);
  return only;
}
