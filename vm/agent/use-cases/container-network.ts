/** A container's part in networks: what it asks for, being attached at its start, and the files that tell it so. */
import { chown, readFile, writeFile } from 'node:fs/promises';
import { EngineError } from '../../contract/errors.ts';
import { hostnameFile, hostsFile, hostsLine, resolvConf } from '../network/container-files.ts';
import { addressesOf } from '../network/names.ts';
import { parseNetworkMode } from '../network/network-mode.ts';
import type { Endpoint, NetworkMode } from '../network/network.ts';
import { parsePortBindings } from '../network/port-bindings.ts';
import type { ContainerRecord, EndpointRequest, HostConfig } from '../state/container-record.ts';
import { idRangeOf } from '../state/container-store.ts';
import { containerPaths, publishNetworkEvent } from './parts.ts';
import type { Parts } from './parts.ts';

/** By names of networks, that of the mode first. Unknown networks are left for the start to find, as Docker does. */
export function completeEndpoints(
  parts: Pick<Parts, 'network'>,
  hostConfig: Pick<HostConfig, 'NetworkMode'>,
  given: Readonly<Record<string, EndpointRequest>>,
): Record<string, EndpointRequest> {
  const mode = parseNetworkMode(hostConfig.NetworkMode);
  const named = Object.fromEntries(Object.entries(given).map(([key, asked]) => [networkName(parts, key), asked]));
  if (mode.kind === 'network') {
    const primary = networkName(parts, mode.name);
    const { [primary]: asked, ...others } = named;
    return { [primary]: asked ?? { aliases: [] }, ...others };
  }
  const other = Object.keys(named).find((name) => name !== mode.kind && name !== 'bridge');
  if (other !== undefined) {
    throw new EngineError(
      'invalid-parameter',
      `conflicting options: a container in the network mode ${hostConfig.NetworkMode} cannot be in the network ${other}`,
    );
  }
  return {};
}

/** The networks to be in at the next start; the default of the mode when it was taken out of all. */
export function wantedEndpoints(
  record: Pick<ContainerRecord, 'endpoints' | 'hostConfig'>,
): readonly (readonly [name: string, EndpointRequest])[] {
  const asked = Object.entries(record.endpoints);
  return asked.length > 0 ? asked : [[record.hostConfig.NetworkMode, { aliases: [] }]];
}

/** Attaches it as its record says. Nothing for one that shares another's network. */
export async function attachNetworks(
  parts: Parts,
  record: ContainerRecord,
  mode: NetworkMode,
  pid: number,
): Promise<void> {
  if (mode.kind === 'container') return;
  const { config, hostConfig } = record;
  const attached = await parts.network.attach({
    containerId: record.id,
    containerName: record.name,
    pid,
    mode,
    isInet6Off: isInet6Off(hostConfig),
    networks:
      mode.kind === 'network' ? wantedEndpoints(record).map(([network, settings]) => ({ network, settings })) : [],
    publish:
      mode.kind === 'network'
        ? parsePortBindings({
            portBindings: hostConfig.PortBindings,
            exposed: Object.keys(config.ExposedPorts ?? {}),
            publishAll: hostConfig.PublishAllPorts,
          })
        : [],
  });
  for (const { networkId } of attached)
    publishNetworkEvent(parts, parts.network.network(networkId), 'connect', record.id);
}

/** By `--sysctl`; as it is set before the container has any link, it holds for all of them. */
export function isInet6Off({ Sysctls }: Pick<HostConfig, 'Sysctls'>): boolean {
  return Object.entries(Sysctls).some(
    ([name, value]) => /^net[./]ipv6[./]conf[./](all|default)[./]disable_ipv6$/.test(name) && value.trim() === '1',
  );
}

/** Tells what a container was taken out of; networks that are gone by now told so themselves. */
export function tellDisconnected(parts: Parts, id: string, endpoints: readonly Endpoint[]): void {
  const networks = new Map(parts.network.networks().map((network) => [network.id, network]));
  for (const { networkId } of endpoints) {
    const network = networks.get(networkId);
    if (network !== undefined) publishNetworkEvent(parts, network, 'disconnect', id);
  }
}

/** At a start: whatever was in the files goes. */
export async function writeNetworkFiles(parts: Parts, record: ContainerRecord, mode: NetworkMode): Promise<void> {
  const paths = containerPaths(parts.config, record.id);
  const { config, hostConfig } = record;
  const hosts = hostsFile({
    hostname: config.Hostname,
    domainname: config.Domainname,
    addresses: parts.network.endpointsOf(record.id).flatMap(addressesOf),
    extraHosts: hostConfig.ExtraHosts ?? [],
    hostGateway: parts.hostGateway,
    links: mode.kind === 'network' && mode.name === 'bridge' ? linkedHosts(parts, hostConfig.Links ?? []) : [],
  });
  await Promise.all([
    writeOwned(record, paths.hostname, hostnameFile(config.Hostname)),
    writeOwned(record, paths.hosts, hosts),
    writeOwned(record, paths.resolvConf, resolvConfOf(parts, record)),
  ]);
}

/** After a change of networks: what the container itself has written into the files stays. */
export async function refreshNetworkFiles(parts: Parts, record: ContainerRecord): Promise<void> {
  const { hosts, resolvConf: resolv } = containerPaths(parts.config, record.id);
  const { Hostname, Domainname } = record.config;
  const addresses = parts.network.endpointsOf(record.id).flatMap(addressesOf);
  const own = new Set(addresses.map((address) => hostsLine(address, Hostname, Domainname)));
  const suffix = hostsLine('', Hostname, Domainname);
  const lines = (await readFile(hosts, 'utf8')).split('\n').slice(0, -1);
  const kept = lines.filter((line) => !line.endsWith(suffix) || own.has(line));
  const added = [...own].filter((line) => !kept.includes(line));
  await writeOwned(record, hosts, [...kept, ...added].map((line) => `${line}\n`).join(''));
  const before = await readFile(resolv, 'utf8');
  const [server] = parts.network.nameServers(parseNetworkMode(record.hostConfig.NetworkMode), record.id);
  const wasOurs = /^nameserver [\d.]+$/m.exec(before)?.[0];
  if (record.hostConfig.Dns.length > 0 || server === undefined || wasOurs === undefined) return;
  await writeOwned(record, resolv, before.replace(wasOurs, `nameserver ${server}`));
}

/** In place: the file is bound into the container by its inode. Owned by the container's root, who may edit it. */
export async function writeOwned(record: ContainerRecord, path: string, text: string): Promise<void> {
  const owner = idRangeOf(record)?.base ?? 0;
  await writeFile(path, text, { mode: 0o644 });
  await chown(path, owner, owner);
}

function resolvConfOf(parts: Parts, { id, hostConfig }: ContainerRecord): string {
  return resolvConf({
    dns: hostConfig.Dns,
    dnsSearch: hostConfig.DnsSearch,
    dnsOptions: hostConfig.DnsOptions,
    nameServers: parts.network.nameServers(parseNetworkMode(hostConfig.NetworkMode), id),
  });
}

/** `--link` on the default network, where containers do not find each other by name. */
function linkedHosts(parts: Parts, links: readonly string[]): { address: string; names: string[] }[] {
  return links.map((link) => {
    const [reference = '', alias = reference] = link.split(':');
    const other = parts.store.find(reference);
    const address = parts.network.endpointsOf(other.id).find((one) => one.networkName === 'bridge')?.address;
    if (address === undefined) {
      throw new EngineError('conflict', `Cannot link to a non running container: /${other.name} AS /${alias}`);
    }
    return { address, names: [...new Set([alias, other.config.Hostname, other.name])] };
  });
}

function networkName(parts: Pick<Parts, 'network'>, nameOrId: string): string {
  const name = nameOrId === '' || nameOrId === 'default' ? 'bridge' : nameOrId;
  try {
    return parts.network.network(name).name;
  } catch {
    return name;
  }
}
