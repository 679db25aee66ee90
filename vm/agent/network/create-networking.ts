/** Puts bridge, addresses, firewall, ports and name server together into the {@link NetworkService}. */
import { randomBytes } from 'node:crypto';
import { EngineError } from '../../contract/errors.ts';
import type { StageHealth } from '../../contract/wherry-api.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Link } from '../kernel/netlink/route.ts';
import { createAddressPool, macOfAddress } from './address-pool.ts';
import { createForwarder } from './dns/forwarder.ts';
import { createDnsServer } from './dns/server.ts';
import type { Upstream } from './dns/upstreams.ts';
import type { ContainerRecord, EndpointRecord, EndpointStore } from './endpoint-store.ts';
import { createFirewall } from './firewall.ts';
import { createLinks } from './links.ts';
import type { AttachRequest, Endpoint, NetworkChange, NetworkRecord, NetworkService } from './network.ts';
import { defaultBridge, defaultNetworks, findNetwork } from './networks.ts';
import { createPortLink, type PortLink } from './port-link.ts';
import { createPublishedPorts } from './published-ports.ts';
import { createQueues } from './queues.ts';

export interface NetworkingOptions {
  readonly kernel: Kernel;
  readonly store: EndpointStore;
  /** `seed.instanceId` */
  readonly instanceId: string;
  /** `seed.hostGateway`: what `host.docker.internal` means. */
  readonly hostGateway: string;
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
/** Of links that are ours. */
const linkPrefix = 'veth';
const linkIdDigits = 11;

export function createNetworking(options: NetworkingOptions): NetworkService {
  const { kernel, store, hostGateway } = options;
  const links = createLinks(kernel);
  const firewall = createFirewall(kernel, options.nftPath ?? '/usr/sbin/nft');
  const pool = createAddressPool(defaultBridge.subnet, defaultBridge.gateway);
  const records = new Map<string, ContainerRecord>();
  const listeners = new Set<(change: NetworkChange) => void>();
  const inTurn = createQueues();
  const dns = createDnsServer({
    forward: createForwarder({
      upstreams: () => options.upstreams().filter(({ address }) => address !== defaultBridge.gateway),
    }),
    lookup: (name) => (hostNames.has(name) ? [hostGateway] : undefined),
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
  let mtu = 1500;
  let networks = defaultNetworks(options.instanceId, Date.now(), mtu);
  let bridge: Link | undefined;
  let stage: StageHealth = { state: 'starting', detail: 'making the network' };

  const portsChanged = (containerId: string): void => {
    const record = records.get(containerId);
    if (record !== undefined) remember({ ...record, ports: [...ports.recordsOf(containerId)] });
    for (const listener of listeners) listener({ kind: 'ports', containerId, ports: ports.of(containerId) });
  };

  const remember = (record: ContainerRecord): void => {
    records.set(record.containerId, record);
    store.save(record);
  };

  const requireBridge = (): Link => {
    if (bridge === undefined) throw new EngineError('unavailable', 'the network is not ready yet');
    return bridge;
  };

  const adopt = (record: ContainerRecord): void => {
    records.set(record.containerId, record);
    for (const { address } of record.endpoints) if (pool.contains(address)) pool.take(address);
    const [endpoint] = record.endpoints;
    if (endpoint !== undefined) ports.adopt(ownerOf(endpoint), record.ports);
  };

  /** From here on nobody sees it connected. */
  const withdraw = async (containerId: string): Promise<ContainerRecord | undefined> => {
    const record = records.get(containerId);
    if (record === undefined) return undefined;
    await ports.withdraw(containerId);
    records.delete(containerId);
    return record;
  };

  /** Only now its address may be another's. */
  const vacate = async ({ containerId, endpoints }: ContainerRecord): Promise<void> => {
    await Promise.all(
      endpoints
        .filter(({ link }) => link !== '')
        .map(({ link, address }) => links.disconnect({ bridge: requireBridge(), link, address })),
    );
    for (const { address } of endpoints) if (address !== '') pool.release(address);
    if (!records.has(containerId)) store.remove(containerId);
  };

  const undo = async (containerId: string): Promise<void> => {
    const record = await withdraw(containerId);
    if (record !== undefined) await vacate(record);
  };

  const connect = async (request: AttachRequest, endpoint: EndpointRecord): Promise<void> => {
    const namespacePath = `/proc/${request.pid}/ns/net`;
    if (endpoint.link === '') {
      if (request.mode.kind === 'none') await links.loopbackUp(namespacePath);
      return;
    }
    const { link, mac, address, prefixLength, gateway } = endpoint;
    const to = { namespacePath, bridge: requireBridge(), link, interfaceName: 'eth0', mac, mtu };
    await links.connect({ ...to, address, prefixLength, gateway });
  };

  const newEndpoint = (request: AttachRequest): EndpointRecord => {
    const network = networkOf(request, networks);
    const bridged = network.driver === 'bridge';
    const id = randomBytes(32).toString('hex');
    const address = bridged ? pool.take() : '';
    return {
      id,
      containerId: request.containerId,
      containerName: request.containerName,
      networkId: network.id,
      networkName: network.name,
      address,
      prefixLength: bridged ? pool.prefixLength : 0,
      gateway: bridged ? pool.gateway : '',
      mac: bridged ? (request.mac ?? macOfAddress(address)) : '',
      aliases: [...(request.aliases ?? [])],
      link: bridged ? linkPrefix + id.slice(0, linkIdDigits) : '',
    };
  };

  const attach = async (request: AttachRequest): Promise<Endpoint> => {
    if (records.has(request.containerId)) await undo(request.containerId);
    const endpoint = newEndpoint(request);
    try {
      remember({ containerId: request.containerId, endpoints: [endpoint], ports: [] });
      await connect(request, endpoint);
      if (endpoint.address !== '' && request.publish.length > 0) {
        await ports.publish(ownerOf(endpoint), request.publish);
        portsChanged(request.containerId);
      }
    } catch (cause) {
      await undo(request.containerId).catch((failed: unknown) => {
        throw new AggregateError([cause, failed], `connect ${request.containerName} to the network, and undo it`);
      });
      throw cause;
    }
    return endpoint;
  };

  const removeStrays = async (): Promise<void> => {
    const known = new Set([...records.values()].flatMap(({ endpoints }) => endpoints.map(({ link }) => link)));
    const at = requireBridge();
    for (const link of await links.portsOf(at)) {
      if (link.startsWith(linkPrefix) && !known.has(link)) await links.disconnect({ bridge: at, link });
    }
  };

  const start = async (): Promise<void> => {
    const { name, gateway } = defaultBridge;
    mtu = await links.uplinkMtu();
    networks = defaultNetworks(options.instanceId, Date.now(), mtu);
    for (const record of store.load()) adopt(record);
    const mac = macOfAddress(gateway);
    const makeBridge = async (): Promise<void> => {
      bridge = await links.ensureBridge({ name, address: gateway, prefixLength: pool.prefixLength, mac, mtu });
      await dns.listen(gateway, options.dnsPort ?? 53);
    };
    // Rules name the bridge, it need not be there yet; most of the time is `nft` starting.
    await Promise.all([firewall.load([{ name, gateway }], ports.forwards()), makeBridge()]);
    stage = { state: 'ok', detail: '' };
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
      const alive = new Map(running.map((one) => [one.containerId, one]));
      for (const { containerId } of [...records.values()]) {
        if (!alive.has(containerId)) await inTurn(containerId, () => undo(containerId));
      }
      await removeStrays();
    },
    attach: (request) => inTurn(request.containerId, () => attach(request)),
    async detach(containerId) {
      const record = await inTurn(containerId, () => withdraw(containerId));
      if (record !== undefined) void inTurn(containerId, () => vacate(record)).catch(options.onError);
    },
    rename(containerId, containerName) {
      const record = records.get(containerId);
      if (record === undefined) return;
      remember({ ...record, endpoints: record.endpoints.map((endpoint) => ({ ...endpoint, containerName })) });
    },
    endpointsOf(containerId) {
      const record = records.get(containerId);
      return record?.endpoints ?? [];
    },
    portsOf: (containerId) => ports.of(containerId),
    network: (nameOrId) => findNetwork(networks, nameOrId),
    networks: () => networks,
    endpointsIn: (networkId) =>
      [...records.values()].flatMap(({ endpoints }) => endpoints.filter((one) => one.networkId === networkId)),
    nameServers: (mode) => (mode.kind === 'none' ? [] : [defaultBridge.gateway]),
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
      await dns.close();
    },
  };
}

function networkOf({ mode, address, aliases }: AttachRequest, networks: readonly NetworkRecord[]): NetworkRecord {
  if (mode.kind === 'container') {
    throw new EngineError(
      'invalid-parameter',
      'a container in the network of another is not attached to a network itself',
    );
  }
  const network = findNetwork(networks, mode.kind === 'network' ? mode.name : mode.kind);
  if (address !== undefined) {
    throw new EngineError('invalid-parameter', 'user specified IP address is supported on user defined networks only');
  }
  if ((aliases ?? []).length > 0) {
    throw new EngineError(
      'invalid-parameter',
      'network-scoped alias is supported only for containers in user defined networks',
    );
  }
  return network;
}

const ownerOf = ({ containerId, containerName, id, address }: Endpoint) => ({
  containerId,
  containerName,
  endpointId: id,
  address,
});
