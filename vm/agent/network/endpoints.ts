/**
 * Containers' places in networks: a record first, then the link, then the ports; and back in the opposite order. The caller
 * sees to it that nothing is done to one container twice at the same time.
 */
import { randomBytes } from 'node:crypto';
import { EngineError } from '../../contract/errors.ts';
import { macOfAddress } from './address-pool.ts';
import type { Bridge, Bridges } from './bridges.ts';
import {
  checkSettings,
  gatewaysOf,
  releaseAddresses,
  retakeAddresses,
  takeAddresses,
  wayOut,
  withoutInet6,
} from './endpoint-addresses.ts';
import type { ContainerRecord, EndpointRecord, EndpointStore } from './endpoint-store.ts';
import type { Links } from './links.ts';
import type { AttachRequest, ConnectRequest, EndpointSettings, NetworkRecord, PublishSpec } from './network.ts';
import { addressesOf } from './names.ts';
import { isolatesContainers, leadsOut } from './networks.ts';
import type { PortOwner, PublishedPorts } from './published-ports.ts';
import type { SharedLinks } from './shared-links.ts';

export interface EndpointsOptions {
  readonly store: EndpointStore;
  readonly links: Links;
  readonly sharedLinks: SharedLinks;
  readonly bridges: Bridges;
  readonly ports: PublishedPorts;
  readonly network: (nameOrId: string) => NetworkRecord;
  readonly portsChanged: (containerId: string) => void;
}

export interface Endpoints {
  /** Takes over what the store holds. Once, when the bridges are known. */
  load(): void;
  attach(request: AttachRequest): Promise<readonly EndpointRecord[]>;
  connect(request: ConnectRequest): Promise<EndpointRecord>;
  disconnect(request: Pick<ConnectRequest, 'containerId' | 'pid' | 'network'>): Promise<void>;
  /** From here on nobody sees it connected; what it returns frees its links and addresses. */
  withdraw(containerId: string): Promise<(() => Promise<void>) | undefined>;
  undo(containerId: string): Promise<void>;
  removeStrays(): Promise<void>;
  rename(containerId: string, containerName: string): void;
  rememberPorts(containerId: string): void;
  /** When no link is being taken away any more. */
  settled(): Promise<void>;
  containers(): readonly string[];
  all(): readonly EndpointRecord[];
  of(containerId: string): readonly EndpointRecord[];
  in(networkId: string): readonly EndpointRecord[];
}

/** Of links that are ours. */
const linkPrefix = 'veth';
const linkIdDigits = 11;

export function createEndpoints(options: EndpointsOptions): Endpoints {
  const { store, links, sharedLinks, bridges, ports } = options;
  const records = new Map<string, ContainerRecord>();
  const leaving = new Set<Promise<void>>();

  const remember = (record: ContainerRecord): void => {
    records.set(record.containerId, record);
    store.save(record);
  };
  const all = (): EndpointRecord[] => [...records.values()].flatMap(({ endpoints }) => endpoints);

  const makeEndpoint = (
    { containerId, containerName, isInet6Off = false }: Omit<AttachRequest | ConnectRequest, 'pid'>,
    network: NetworkRecord,
    settings: EndpointSettings,
    interfaceName: string,
  ): EndpointRecord => {
    checkSettings(network, settings);
    const id = randomBytes(32).toString('hex');
    const bridge = bridges.of(network.id);
    const { address, inet6 } = takeAddresses(isInet6Off ? withoutInet6(bridge) : bridge, network, settings);
    return {
      id,
      containerId,
      containerName,
      networkId: network.id,
      networkName: network.name,
      address,
      prefixLength: bridge?.pool.prefixLength ?? 0,
      gateway: bridge !== undefined && leadsOut(network) ? bridge.pool.gateway : '',
      ...(inet6 === undefined ? {} : { inet6 }),
      mac: bridge === undefined || network.driver === 'ipvlan' ? '' : (settings.mac ?? macOfAddress(address)),
      aliases: [...settings.aliases],
      links: [...(settings.links ?? [])],
      interfaceName: bridge === undefined ? '' : interfaceName,
      link: bridge === undefined ? '' : linkPrefix + id.slice(0, linkIdDigits),
    };
  };

  const release = (endpoint: EndpointRecord): void => releaseAddresses(bridges.of(endpoint.networkId), endpoint);

  const newEndpoints = (request: AttachRequest): EndpointRecord[] => {
    const { mode } = request;
    if (mode.kind === 'container') {
      throw new EngineError(
        'invalid-parameter',
        'a container in the network of another is not attached to a network itself',
      );
    }
    const wanted =
      mode.kind === 'network' ? request.networks : [{ network: mode.kind, settings: { aliases: [] as string[] } }];
    const made: EndpointRecord[] = [];
    try {
      for (const { network, settings } of wanted) {
        made.push(makeEndpoint(request, options.network(network), settings, `eth${made.length}`));
      }
    } catch (cause) {
      made.forEach(release);
      throw cause;
    }
    return made;
  };

  const join = async (pid: number, endpoint: EndpointRecord, gateways: readonly string[]): Promise<void> => {
    const { networkId, link, interfaceName, mac, address, prefixLength, inet6 } = endpoint;
    const bridge = bridges.of(networkId);
    if (bridge === undefined) return;
    const at = linkOf(bridge);
    const { mtu, shared, record } = bridge;
    const addresses = [{ address, prefixLength }, ...(inet6 === undefined ? [] : [inet6])];
    const namespacePath = namespaceOf(pid);
    const own = { namespacePath, interfaceName, mac: mac || macOfAddress(address), mtu, addresses, gateways };
    if (shared !== undefined) await sharedLinks.connect({ ...own, ...shared, link });
    else await links.connect({ ...own, bridge: at, link, isolated: isolatesContainers(record) });
  };

  /** @param pid of a container that runs on: one that ends takes a shared link along */
  const part = async (endpoint: EndpointRecord, pid?: number): Promise<void> => {
    const { networkId, link, interfaceName } = endpoint;
    const bridge = bridges.of(networkId);
    if (bridge?.link === undefined || interfaceName === '') return;
    if (bridge.shared === undefined) {
      await links.disconnect({ bridge: bridge.link, link, addresses: addressesOf(endpoint) });
    } else if (pid !== undefined) {
      await sharedLinks.disconnect(namespaceOf(pid), interfaceName);
    }
    release(endpoint);
  };

  const vacate = (record: ContainerRecord): Promise<void> => {
    const done = (async () => {
      await Promise.all(record.endpoints.map((endpoint) => part(endpoint)));
      if (!records.has(record.containerId)) store.remove(record.containerId);
    })();
    leaving.add(done);
    const forget = (): boolean => leaving.delete(done);
    done.then(forget, forget);
    return done;
  };

  const withdraw = async (containerId: string): Promise<(() => Promise<void>) | undefined> => {
    const record = records.get(containerId);
    if (record === undefined) return undefined;
    await ports.withdraw(containerId);
    records.delete(containerId);
    return () => vacate(record);
  };

  const undo = async (containerId: string): Promise<void> => {
    await (
      await withdraw(containerId)
    )?.();
  };

  const publish = async (endpoint: EndpointRecord | undefined, specs: readonly PublishSpec[]): Promise<void> => {
    if (endpoint === undefined || specs.length === 0) return;
    await ports.publish(ownerOf(endpoint), specs);
    options.portsChanged(endpoint.containerId);
  };

  return {
    load() {
      for (const record of store.load()) {
        records.set(record.containerId, record);
        for (const endpoint of record.endpoints) retakeAddresses(bridges.of(endpoint.networkId), endpoint);
        const endpoint = wayOut(record.endpoints) ?? record.endpoints[0];
        if (endpoint !== undefined) ports.adopt(ownerOf(endpoint), record.ports);
      }
    },

    async attach(request) {
      const { containerId, containerName, pid } = request;
      if (records.has(containerId)) await undo(containerId);
      const made = newEndpoints(request);
      try {
        remember({ containerId, endpoints: made, ports: [] });
        if (request.mode.kind !== 'host' && made.every(({ interfaceName }) => interfaceName === '')) {
          await links.loopbackUp(namespaceOf(pid));
        }
        const gateways = gatewaysOf(made);
        for (const endpoint of made) await join(pid, endpoint, gateways.get(endpoint) ?? []);
        await publish(wayOut(made), request.publish);
      } catch (cause) {
        await undo(containerId).catch((failed: unknown) => {
          throw new AggregateError([cause, failed], `connect ${containerName} to the network, and undo it`);
        });
        throw cause;
      }
      return made;
    },

    async connect(request) {
      const { containerId, containerName, pid } = request;
      const network = options.network(request.network);
      const record = records.get(containerId) ?? { containerId, endpoints: [], ports: [] };
      if (record.endpoints.some(({ networkId }) => networkId === network.id)) {
        throw new EngineError(
          'forbidden',
          `endpoint with name ${containerName} already exists in network ${network.name}`,
        );
      }
      const endpoint = makeEndpoint(request, network, request.settings, freeInterface(record.endpoints));
      try {
        const endpoints = [...record.endpoints, endpoint];
        remember({ ...record, endpoints });
        await join(pid, endpoint, gatewaysOf(endpoints).get(endpoint) ?? []);
      } catch (cause) {
        remember(record);
        await part(endpoint, pid).catch((failed: unknown) => {
          throw new AggregateError([cause, failed], `connect ${containerName} to ${network.name}, and undo it`);
        });
        throw cause;
      }
      return endpoint;
    },

    async disconnect({ containerId, pid, network: nameOrId }) {
      const network = options.network(nameOrId);
      const record = records.get(containerId);
      const endpoint = record?.endpoints.find(({ networkId }) => networkId === network.id);
      if (record === undefined || endpoint === undefined) {
        throw new EngineError('forbidden', `container ${containerId} is not connected to network ${network.name}`);
      }
      const left = record.endpoints.filter((one) => one !== endpoint);
      const wasWayOut = wayOut(record.endpoints) === endpoint;
      const published = wasWayOut ? ports.recordsOf(containerId) : [];
      if (wasWayOut) await ports.withdraw(containerId);
      remember({ ...record, endpoints: left, ports: wasWayOut ? [] : record.ports });
      await part(endpoint, pid);
      const before = [...gatewaysOf(record.endpoints).values()].flat();
      const next = [...gatewaysOf(left).values()].flat().filter((gateway) => !before.includes(gateway));
      if (next.length > 0) await links.setDefaultRoutes(namespaceOf(pid), next);
      await publish(
        wayOut(left),
        published.map(({ protocol, containerPort, hostIp, hostPort }) => {
          return { protocol, containerPort, hostIp, hostPorts: { first: hostPort, last: hostPort } };
        }),
      );
    },

    withdraw,
    undo,

    async removeStrays() {
      const known = new Set(all().map(({ link }) => link));
      for (const bridge of bridges.all().filter(({ shared }) => shared === undefined)) {
        const at = linkOf(bridge);
        for (const link of await links.portsOf(at)) {
          if (link.startsWith(linkPrefix) && !known.has(link))
            await links.disconnect({ bridge: at, link, addresses: [] });
        }
      }
    },

    rename(containerId, containerName) {
      const record = records.get(containerId);
      if (record === undefined) return;
      remember({ ...record, endpoints: record.endpoints.map((endpoint) => ({ ...endpoint, containerName })) });
    },

    rememberPorts(containerId) {
      const record = records.get(containerId);
      if (record !== undefined) remember({ ...record, ports: [...ports.recordsOf(containerId)] });
    },

    async settled() {
      await Promise.allSettled([...leaving]);
    },
    containers: () => [...records.keys()],
    all,
    of: (containerId) => records.get(containerId)?.endpoints ?? [],
    in: (networkId) => all().filter((one) => one.networkId === networkId),
  };
}

function linkOf({ link }: Bridge): NonNullable<Bridge['link']> {
  if (link === undefined) throw new EngineError('unavailable', 'the network is not ready yet');
  return link;
}

const namespaceOf = (pid: number): string => `/proc/${pid}/ns/net`;

function freeInterface(endpoints: readonly EndpointRecord[]): string {
  let index = 0;
  while (endpoints.some(({ interfaceName }) => interfaceName === `eth${index}`)) index++;
  return `eth${index}`;
}

const ownerOf = ({ containerId, containerName, id, address }: EndpointRecord): PortOwner => ({
  containerId,
  containerName,
  endpointId: id,
  address,
});
