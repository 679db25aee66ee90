/** Puts bridges, endpoints, firewall, ports and name server together into the {@link NetworkService}. */
import { randomBytes } from 'node:crypto';
import type { StageHealth } from '../../contract/wherry-api.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { createBridges } from './bridges.ts';
import { createForwarder } from './dns/forwarder.ts';
import { createDnsServer } from './dns/server.ts';
import type { Upstream } from './dns/upstreams.ts';
import type { EndpointRecord, EndpointStore } from './endpoint-store.ts';
import { createEndpoints } from './endpoints.ts';
import { createFirewall } from './firewall.ts';
import { createLinks } from './links.ts';
import { lookUpAddress, lookUpName } from './names.ts';
import type { NetworkChange, NetworkRecord, NetworkRequest, NetworkService } from './network.ts';
import type { NetworkStore } from './network-store.ts';
import { defaultBridge, defaultNetworks, findNetwork, inet6PoolOf } from './networks.ts';
import { checkRemovable, defaultInetPools, planNetwork, type SubnetPool } from './plan-network.ts';
import { createPortLink, type PortLink } from './port-link.ts';
import { createPublishedPorts } from './published-ports.ts';
import { createQueues } from './queues.ts';
import { createSharedLinks } from './shared-links.ts';

export interface NetworkingOptions {
  readonly kernel: Kernel;
  /** Places in networks, as long as the links live. */
  readonly store: EndpointStore;
  /** User-defined networks. */
  readonly networks: NetworkStore;
  /** `seed.instanceId` */
  readonly instanceId: string;
  /** `seed.hostGateway`: what `host.docker.internal` means. */
  readonly hostGateway: string;
  /** Subnets that networks must not overlap: the guest's own. */
  readonly reservedSubnets: readonly string[];
  /** Where networks without a subnet get one; Docker's when empty. */
  readonly addressPools: readonly SubnetPool[];
  /** The guest's name servers, see `resolvConfUpstreams`. */
  readonly upstreams: () => readonly Upstream[];
  /** Of work that nobody waits for. */
  readonly onError: (cause: unknown) => void;
  readonly nftPath?: string;
  readonly dnsPort?: number;
  /** How long the host may take to bind a port. */
  readonly portDeadlineMs?: number;
}

const hostNames = new Set(['host.docker.internal', 'host.wherry.internal', 'gateway.docker.internal']);
/** Names of networks are one thing: no two are made or removed at the same time. */
const allNetworks = 'networks';

export function createNetworking(options: NetworkingOptions): NetworkService {
  const { hostGateway } = options;
  const links = createLinks(options.kernel);
  const sharedLinks = createSharedLinks(options.kernel);
  const firewall = createFirewall(options.kernel, options.nftPath ?? '/usr/sbin/nft');
  const listeners = new Set<(change: NetworkChange) => void>();
  const inTurn = createQueues();
  const isOurs = (address: string): boolean => bridges.all().some(({ pool }) => pool.gateway === address);
  const dns = createDnsServer({
    forward: createForwarder({
      upstreams: () => options.upstreams().filter(({ address }) => !isOurs(address)),
    }),
    lookup: (name, client) => (hostNames.has(name) ? [hostGateway] : lookUpName(endpoints.all(), name, client)),
    reverse: (address, client) => lookUpAddress(endpoints.all(), address, client),
  });
  const ports = createPublishedPorts({
    firewall,
    link: (): PortLink => portLink,
    onChange: (containerId) => portsChanged(containerId),
  });
  const portLink = createPortLink({
    onSettled: (port, failed) => ports.settled(port, failed),
    ...(options.portDeadlineMs === undefined ? {} : { deadlineMs: options.portDeadlineMs }),
  });
  let defaultMtu = 1500;
  let networks: readonly NetworkRecord[] = defaultNetworks(options.instanceId, Date.now(), defaultMtu);
  let stage: StageHealth = { state: 'starting', detail: 'making the network' };
  const bridges = createBridges({
    links,
    sharedLinks,
    firewall,
    dns,
    dnsPort: options.dnsPort ?? 53,
    forwards: () => ports.forwards(),
    defaultMtu: () => defaultMtu,
  });
  const portsChanged = (containerId: string): void => {
    endpoints.rememberPorts(containerId);
    for (const listener of listeners) listener({ kind: 'ports', containerId, ports: ports.of(containerId) });
  };
  const endpoints = createEndpoints({
    store: options.store,
    links,
    sharedLinks,
    bridges,
    ports,
    network: (nameOrId) => findNetwork(networks, nameOrId),
    portsChanged,
  });

  const start = async (): Promise<void> => {
    defaultMtu = await links.uplinkMtu();
    networks = [...defaultNetworks(options.instanceId, Date.now(), defaultMtu), ...options.networks.load()];
    for (const record of networks) if (record.driver !== 'host' && record.driver !== 'null') bridges.add(record);
    endpoints.load();
    await bridges.make(bridges.all());
    stage = { state: 'ok', detail: '' };
  };

  const create = async (request: NetworkRequest): Promise<NetworkRecord> => {
    const id = randomBytes(32).toString('hex');
    const record = planNetwork(id, request, {
      networks,
      reserved: options.reservedSubnets,
      inetPools: options.addressPools.length > 0 ? options.addressPools : defaultInetPools,
      inet6Pool: inet6PoolOf(options.instanceId),
    });
    // On record first: killed from here on, the next start makes what is missing.
    options.networks.save(record);
    const bridge = bridges.add(record);
    networks = [...networks, record];
    try {
      await bridges.make([bridge]);
    } catch (cause) {
      networks = networks.filter((one) => one !== record);
      await bridges.remove(bridge).catch(options.onError);
      options.networks.remove(id);
      throw cause;
    }
    return record;
  };

  const remove = async (nameOrId: string): Promise<NetworkRecord> => {
    const record = findNetwork(networks, nameOrId);
    checkRemovable(record, endpoints.in(record.id));
    networks = networks.filter((one) => one !== record);
    const bridge = bridges.of(record.id);
    // Links that are still being taken away hold addresses of the bridge.
    await endpoints.settled();
    if (bridge !== undefined) await bridges.remove(bridge);
    options.networks.remove(record.id);
    return record;
  };

  return {
    async start() {
      try {
        await start();
      } catch (cause) {
        stage = { state: 'failed', detail: String(cause), hint: 'restart the VM; its log says more (wherry logs vm)' };
        throw cause;
      }
    },
    async restore(running) {
      const alive = new Set(running.map(({ containerId }) => containerId));
      for (const containerId of endpoints.containers()) {
        if (!alive.has(containerId)) await inTurn(containerId, () => endpoints.undo(containerId));
      }
      await endpoints.removeStrays();
    },
    attach: (request) => inTurn(request.containerId, () => endpoints.attach(request)),
    connect: (request) => inTurn(request.containerId, () => endpoints.connect(request)),
    disconnect: (request) => inTurn(request.containerId, () => endpoints.disconnect(request)),
    async detach(containerId) {
      const vacate = await inTurn(containerId, () => endpoints.withdraw(containerId));
      if (vacate !== undefined) void inTurn(containerId, vacate).catch(options.onError);
    },
    create: (request) => inTurn(allNetworks, () => create(request)),
    remove: (nameOrId) => inTurn(allNetworks, () => remove(nameOrId)),
    rename: (containerId, containerName) => endpoints.rename(containerId, containerName),
    endpointsOf: (containerId) => endpoints.of(containerId),
    portsOf: (containerId) => ports.of(containerId),
    network: (nameOrId) => findNetwork(networks, nameOrId),
    networks: () => networks,
    endpointsIn: (networkId) => endpoints.in(networkId),
    nameServers(mode, containerId) {
      if (mode.kind === 'none') return [];
      const own = endpoints.of(containerId).flatMap((endpoint) => serverOf(endpoint));
      return own.length > 0 ? own.slice(0, 1) : [defaultBridge.gateway];
    },
    serveHost: (stream) => portLink.serve(stream),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async health() {
      if (stage.state !== 'ok') return stage;
      return (await links.hasLink(defaultBridge.name))
        ? stage
        : { state: 'failed', detail: `the bridge ${defaultBridge.name} is gone`, hint: 'restart the VM' };
    },
    async close() {
      portLink.close();
      links.close();
      sharedLinks.close();
      await dns.close();
    },
  };

  function serverOf({ networkId }: EndpointRecord): string[] {
    const bridge = bridges.of(networkId);
    return bridge === undefined ? [] : [bridge.pool.gateway];
  }
}
