/**
 * The guest's links in the networks, a bridge each: link, addresses and name server, and the firewall's list of them. With macvlan and
 * ipvlan it is no bridge, but the guest's own place on what the containers share.
 */
import type { Link, SharedLinkKind } from '../kernel/netlink/route.ts';
import { type AddressPool, macOfAddress } from './address-pool.ts';
import type { DnsServer } from './dns/server.ts';
import type { Firewall, Forward } from './firewall.ts';
import type { Links } from './links.ts';
import type { NetworkRecord } from './network.ts';
import { bridgeName, inet6SubnetOf, leadsOut, mtuOption, sharedParentName } from './networks.ts';
import { poolOf } from './plan-network.ts';
import { sharedKindOf } from './shared-kind.ts';
import type { SharedLinks } from './shared-links.ts';

export interface Bridge {
  readonly record: NetworkRecord;
  /** `docker0`, `br-…`, `gw-…`. */
  readonly name: string;
  readonly pool: AddressPool;
  /** Undefined: without IPv6. */
  readonly pool6: AddressPool | undefined;
  readonly mtu: number;
  /** What its containers share, and how; undefined: they are ports of a bridge. */
  readonly shared: { readonly parent: string; readonly kind: SharedLinkKind } | undefined;
  link: Link | undefined;
}

export interface Bridges {
  /** Known from here on, made by `make`. */
  add(record: NetworkRecord): Bridge;
  of(networkId: string): Bridge | undefined;
  all(): readonly Bridge[];
  /** Makes the links of these and has the firewall know all. */
  make(bridges: readonly Bridge[]): Promise<void>;
  remove(bridge: Bridge): Promise<void>;
}

export interface BridgesOptions {
  readonly links: Links;
  readonly sharedLinks: SharedLinks;
  readonly firewall: Firewall;
  readonly dns: DnsServer;
  readonly dnsPort: number;
  readonly forwards: () => readonly Forward[];
  readonly defaultMtu: () => number;
}

export function createBridges(options: BridgesOptions): Bridges {
  const { links, sharedLinks, firewall, dns } = options;
  const bridges = new Map<string, Bridge>();
  let loading: Promise<void> = Promise.resolve();

  /** One at a time, each with what is true then. */
  const loadFirewall = (): Promise<void> => {
    const load = (): Promise<void> => firewall.load([...bridges.values()].map(wallOf), options.forwards());
    loading = loading.then(load, load);
    return loading;
  };

  const makeLink = async (bridge: Bridge): Promise<void> => {
    const { name, pool, pool6, mtu, shared } = bridge;
    const { gateway } = pool;
    const addresses = [pool, ...(pool6 === undefined ? [] : [pool6])].map((one) => {
      return { address: one.gateway, prefixLength: one.prefixLength };
    });
    const own = { addresses, mac: macOfAddress(gateway), mtu };
    bridge.link = await (shared === undefined
      ? links.ensureBridge({ name, ...own })
      : sharedLinks.ensure({ own: name, ...shared, ...own }));
    await dns.listen(gateway, options.dnsPort);
  };

  const remove = async (bridge: Bridge): Promise<void> => {
    bridges.delete(bridge.record.id);
    bridge.link = undefined;
    await dns.unlisten(bridge.pool.gateway);
    if (bridge.shared === undefined) await links.removeBridge(bridge.name);
    else await sharedLinks.remove(bridge.shared.parent);
    await loadFirewall();
  };

  return {
    add(record) {
      const [subnet] = record.subnets;
      if (subnet === undefined) throw new Error(`network ${record.name}: no subnet`);
      const mtu = Number(record.options[mtuOption] ?? options.defaultMtu());
      const inet6 = inet6SubnetOf(record);
      const pool6 = inet6 === undefined ? undefined : poolOf(inet6);
      const kind = sharedKindOf(record);
      const shared = kind === undefined ? undefined : { parent: sharedParentName(record), kind };
      const bridge = { record, name: bridgeName(record), pool: poolOf(subnet), pool6, mtu, shared, link: undefined };
      bridges.set(record.id, bridge);
      return bridge;
    },
    of: (networkId) => bridges.get(networkId),
    all: () => [...bridges.values()],
    async make(wanted) {
      // Rules name the bridges, which need not be there yet; most of the time is `nft` starting.
      await Promise.all([loadFirewall(), ...wanted.map(makeLink)]);
    },
    remove,
  };
}

function wallOf({ name, pool, pool6, record }: Bridge): Parameters<Firewall['load']>[0][number] {
  const masquerade = record.options['com.docker.network.bridge.enable_ip_masquerade'] !== 'false';
  return { name, gateway: pool.gateway, inet6: pool6 !== undefined, internal: !leadsOut(record), masquerade };
}
