/** User-defined networks: made, removed, pruned; containers connected and disconnected. */
import { EngineError } from '../../contract/errors.ts';
import { parseTime } from '../clock.ts';
import type { Filters } from '../filters.ts';
import { log, errorText } from '../log.ts';
import { parseNetworkMode } from '../network/network-mode.ts';
import type { IpamRequest, NetworkDriver, NetworkRecord } from '../network/network.ts';
import { isPredefined } from '../network/networks.ts';
import { isRunning } from '../state/container-record.ts';
import type { ContainerRecord, EndpointRequest } from '../state/container-record.ts';
import { isInet6Off, refreshNetworkFiles } from './container-network.ts';
import { publishNetworkEvent } from './parts.ts';
import type { Parts } from './parts.ts';

interface SubnetRequest {
  readonly subnet: string;
  readonly range: string;
  readonly gateway: string;
  readonly auxiliary: Readonly<Record<string, string>>;
}

export interface CreateNetworkRequest {
  readonly name: string;
  /** Empty: `bridge`. */
  readonly driver: string;
  readonly scope: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ingress: boolean;
  /** Made from, or only a template for, other networks. */
  readonly usesConfig: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly ipamDriver: string;
  /** Empty strings: to be chosen. */
  readonly subnets: readonly SubnetRequest[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ConnectContainerRequest {
  readonly container: string;
  readonly settings: EndpointRequest;
}

export const pruneNetworkFilterNames = ['label', 'label!', 'until'] as const;

export interface CreatedNetwork {
  readonly id: string;
  /** What of the request has no effect; empty: all had. */
  readonly warning: string;
}

/** Throws `invalid-parameter`, `not-found` (driver), `conflict` (name) or `forbidden` (overlap). */
export async function createNetwork(parts: Parts, request: CreateNetworkRequest): Promise<CreatedNetwork> {
  const driver = supportedDriver(request);
  const { name, internal, attachable, options, labels, ipv6 } = request;
  const [inet6, inet] = splitByFamily(request.subnets, driver);
  const network = await parts.network.create({
    name,
    driver,
    internal,
    attachable,
    options,
    labels,
    ipam: ipamOf(inet),
    ...(ipv6 ? { ipam6: ipamOf(inet6) } : {}),
  });
  publishNetworkEvent(parts, network, 'create');
  const ignored = ipv6 ? undefined : inet6?.subnet;
  return {
    id: network.id,
    warning: ignored === undefined ? '' : `the subnet ${ignored} is not used: IPv6 is not enabled for the network`,
  };
}

/** At most one each. */
function splitByFamily(
  subnets: readonly SubnetRequest[],
  driver: NetworkDriver,
): readonly [inet6: SubnetRequest | undefined, inet: SubnetRequest | undefined] {
  const isInet6 = ({ subnet }: SubnetRequest): boolean => subnet.includes(':');
  const inet6 = subnets.filter(isInet6);
  const inet = subnets.filter((one) => !isInet6(one));
  if (inet6.length > 1 || inet.length > 1) {
    throw new EngineError('invalid-parameter', `${driver} driver doesn't support multiple subnets`);
  }
  return [inet6[0], inet[0]];
}

function ipamOf(asked: SubnetRequest | undefined): IpamRequest {
  if (asked === undefined) return {};
  const { subnet, range, gateway, auxiliary } = asked;
  return {
    ...(subnet === '' ? {} : { subnet }),
    ...(range === '' ? {} : { range }),
    ...(gateway === '' ? {} : { gateway }),
    ...(Object.keys(auxiliary).length === 0 ? {} : { auxiliary }),
  };
}

export async function removeNetwork(parts: Parts, reference: string): Promise<void> {
  publishNetworkEvent(parts, await parts.network.remove(reference), 'destroy');
}

/** Those that no running container is in. Returns their names. */
export async function pruneNetworks(parts: Parts, filters: Filters): Promise<string[]> {
  const until = filters.get('until').map((text) => {
    const time = parseTime(text);
    if (time === undefined)
      throw new EngineError('invalid-parameter', `failed to parse value as time or duration: "${text}"`);
    return Number(time / 1_000_000n);
  });
  const unused = parts.network
    .networks()
    .filter(
      (network) =>
        !isPredefined(network) &&
        parts.network.endpointsIn(network.id).length === 0 &&
        filters.matchesLabels(network.labels) &&
        until.every((timeMs) => network.createdAtMs <= timeMs),
    );
  const deleted: string[] = [];
  for (const { id, name } of unused) {
    try {
      await removeNetwork(parts, id);
      deleted.push(name);
    } catch (error) {
      // A container joined it meanwhile, or somebody else removed it; the rest goes on.
      log.warn(`prune network ${name}: ${errorText(error)}`);
    }
  }
  parts.events.publish('network', 'prune', '', { reclaimed: '0' });
  return deleted;
}

/** A running container at once, any other at its next start. */
export async function connectContainer(
  parts: Parts,
  reference: string,
  request: ConnectContainerRequest,
): Promise<void> {
  await withContainer(parts, reference, request.container, async (record, network) => {
    if (network.driver === 'host') throw hostConflict();
    if (network.driver === 'null' || parseNetworkMode(record.hostConfig.NetworkMode).kind === 'none') {
      throw new EngineError(
        'forbidden',
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      );
    }
    if (isRunning(record)) {
      const { settings } = request;
      const { id: containerId, name: containerName } = record;
      const { pid } = record.state;
      await parts.network.connect({
        ...{ containerId, containerName, pid, network: network.id, settings },
        isInet6Off: isInet6Off(record.hostConfig),
      });
    } else if (record.endpoints[network.name] !== undefined) {
      throw new EngineError('forbidden', `endpoint with name ${record.name} already exists in network ${network.name}`);
    }
    const after = parts.store.update(record.id, {
      endpoints: { ...record.endpoints, [network.name]: request.settings },
    });
    if (!isRunning(record)) return;
    await refreshNetworkFiles(parts, after);
    publishNetworkEvent(parts, network, 'connect', record.id);
  });
}

/** `force` takes the container out of the record even when its link cannot be taken away. */
export async function disconnectContainer(
  parts: Parts,
  reference: string,
  request: { readonly container: string; readonly force: boolean },
): Promise<void> {
  await withContainer(parts, reference, request.container, async (record, network) => {
    const { [network.name]: asked, ...endpoints } = record.endpoints;
    if (isRunning(record)) {
      const { id: containerId, name } = record;
      const { pid } = record.state;
      await parts.network.disconnect({ containerId, pid, network: network.id }).catch((error: unknown) => {
        if (!request.force) throw error;
        log.warn(`disconnect ${name} from ${network.name}: ${errorText(error)}`);
      });
    } else if (asked === undefined) {
      throw new EngineError('forbidden', `container ${record.id} is not connected to network ${network.name}`);
    }
    const after = parts.store.update(record.id, { endpoints });
    if (!isRunning(record)) return;
    await refreshNetworkFiles(parts, after);
    publishNetworkEvent(parts, network, 'disconnect', record.id);
  });
}

function hostConflict(): EngineError {
  return new EngineError(
    'forbidden',
    'container cannot be disconnected from host network or connected to host network',
  );
}

/** Under the container's lock; refuses those whose network is not their own. */
async function withContainer(
  parts: Parts,
  network: string,
  container: string,
  work: (record: ContainerRecord, network: NetworkRecord) => Promise<void>,
): Promise<void> {
  // The network first: Docker names it when neither is there.
  parts.network.network(network);
  const { id } = parts.store.find(container);
  await parts.live.of(id).lock.run(async () => {
    const record = parts.store.find(id);
    const found = parts.network.network(network);
    if (record.state.status === 'removing' || record.state.status === 'dead') {
      throw new EngineError(
        'forbidden',
        `Container ${id} is marked for removal and cannot be connected or disconnected`,
      );
    }
    const mode = parseNetworkMode(record.hostConfig.NetworkMode);
    if (mode.kind === 'host') throw hostConflict();
    if (mode.kind === 'container') {
      throw new EngineError(
        'forbidden',
        'container sharing network namespace with another container or host cannot be connected to any other network',
      );
    }
    await work(record, found);
  });
}

function supportedDriver(request: CreateNetworkRequest): NetworkDriver {
  const { name, driver } = request;
  const refuse = (message: string): never => {
    throw new EngineError('invalid-parameter', message);
  };
  if (name === '') refuse('network name is required');
  if (driver === 'host' || driver === 'null') {
    throw new EngineError('forbidden', `only one instance of "${driver}" network is allowed`);
  }
  if (request.ingress) throw new EngineError('forbidden', 'Ingress network can only be global scope network');
  if (request.scope === 'swarm') {
    throw new EngineError('forbidden', 'cannot create a swarm scoped network when swarm is not active');
  }
  if (driver === 'overlay') {
    throw new EngineError(
      'unavailable',
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    );
  }
  if (driver !== '' && driver !== 'bridge' && driver !== 'macvlan' && driver !== 'ipvlan') {
    throw new EngineError('not-found', `plugin "${driver}" not found`);
  }
  if (request.ipamDriver !== '' && request.ipamDriver !== 'default') {
    throw new EngineError('not-found', `plugin "${request.ipamDriver}" not found`);
  }
  if (request.usesConfig)
    refuse('networks made from the configuration of others (config-only, config-from) are not supported');
  if (!request.ipv4) refuse('IPv4 cannot be switched off for a network: containers are published and find names by it');
  return driver === '' ? 'bridge' : driver;
}
