/**
 * Namespaces of other containers, or of the VM. With one of a container's comes its user namespace, and so its range of ids: else who
 * is root here would have no rights over what is shared (packet capture in its network, its processes).
 */
import { EngineError } from '../../contract/errors.ts';
import { parseNetworkMode } from '../network/network-mode.ts';
import { isRunning } from '../state/container-record.ts';
import type { ContainerConfig, ContainerRecord, HostConfig } from '../state/container-record.ts';
import type { Parts } from './parts.ts';

export interface JoinedNamespace {
  readonly path: string;
  readonly isOfUserNamespace?: boolean;
}

export interface SharedNamespaces {
  readonly network: JoinedNamespace | undefined;
  readonly pid: JoinedNamespace | undefined;
  readonly ipc: JoinedNamespace | undefined;
  readonly user: JoinedNamespace | undefined;
}

const shareable = {
  network: { file: 'net', mode: (hostConfig: HostConfig) => hostConfig.NetworkMode },
  pid: { file: 'pid', mode: (hostConfig: HostConfig) => hostConfig.PidMode },
  ipc: { file: 'ipc', mode: (hostConfig: HostConfig) => hostConfig.IpcMode },
};
type Shareable = keyof typeof shareable;
/** The first with ids of its own gives its user namespace. */
const byPrecedence: readonly Shareable[] = ['network', 'pid', 'ipc'];

/** Which container's range of ids a new one takes; undefined: one of its own. */
export function sharesIdsWith({ store }: Pick<Parts, 'store'>, hostConfig: HostConfig): ContainerRecord | undefined {
  const donors = byPrecedence.flatMap((kind) => {
    const reference = otherOf(shareable[kind].mode(hostConfig));
    return reference === undefined ? [] : (findIfThere(store, reference) ?? []);
  });
  return donors.find(({ idSlot }) => idSlot !== undefined);
}

/** A container whose network is shared may be missing until the start. */
function findIfThere(store: Parts['store'], reference: string): ContainerRecord | undefined {
  try {
    return store.find(reference);
  } catch {
    return undefined;
  }
}

/** What a container joins at its start. @throws EngineError `conflict` when a container that it shares with does not run. */
export function sharedNamespaces({ store }: Pick<Parts, 'store'>, record: ContainerRecord): SharedNamespaces {
  const donorOf = (kind: Shareable): ContainerRecord | undefined => {
    const reference = otherOf(shareable[kind].mode(record.hostConfig));
    if (reference === undefined) return undefined;
    const donor = store.find(reference);
    if (isRunning(donor)) return donor;
    throw new EngineError('conflict', `cannot join namespace of a non running container: ${donor.id}`);
  };
  // One that was made anew since has other ids: then its user namespace cannot be entered with ours.
  const user = byPrecedence.map(donorOf).find((donor) => donor?.idSlot !== undefined && donor.idSlot === record.idSlot);
  const join = (kind: Shareable): JoinedNamespace | undefined => {
    const { file, mode } = shareable[kind];
    if (mode(record.hostConfig) === 'host') return { path: `/proc/1/ns/${file}` };
    const donor = donorOf(kind);
    if (donor === undefined) return undefined;
    const donorMode = mode(donor.hostConfig);
    const isDonorsOwn = donorMode !== 'host' && otherOf(donorMode) === undefined;
    return { path: `/proc/${donor.state.pid}/ns/${file}`, isOfUserNamespace: donor === user && isDonorsOwn };
  };
  return {
    network: join('network'),
    pid: join('pid'),
    ipc: join('ipc'),
    user: user === undefined ? undefined : { path: `/proc/${user.state.pid}/ns/user` },
  };
}

/** The name or id in `container:…`. */
export function otherOf(mode: string): string | undefined {
  return /^container:(.+)$/.exec(mode)?.[1];
}

type Asked = Pick<ContainerConfig, 'Hostname' | 'ExposedPorts'>;

/** As asked, before defaults. A container whose network is shared may be missing until the start, as in Docker. */
export function checkSharedNamespaces(parts: Pick<Parts, 'store'>, config: Asked, hostConfig: HostConfig): void {
  checkNetwork(config, hostConfig);
  for (const mode of [hostConfig.PidMode, hostConfig.IpcMode]) {
    const other = otherOf(mode);
    if (other !== undefined) checkThere(parts, other, '');
  }
  for (const from of hostConfig.VolumesFrom ?? []) checkThere(parts, from.split(':', 1)[0] ?? '', '');
  for (const link of isUserDefined(hostConfig.NetworkMode) ? [] : (hostConfig.Links ?? [])) {
    const name = link.split(':', 1)[0] ?? '';
    checkThere(parts, name, `could not get container for ${name}: `);
  }
  if (hostConfig.UTSMode === 'host' && config.Hostname !== '') conflict('hostname and the UTS mode');
}

/** Names there are looked up when they are asked for: whom a link means may come later. */
function isUserDefined(networkMode: string): boolean {
  return parseNetworkMode(networkMode).kind === 'network' && networkMode !== 'bridge';
}

function checkNetwork(config: Asked, hostConfig: HostConfig): void {
  const { NetworkMode, Links } = hostConfig;
  const links = (Links ?? []).length > 0;
  const undefinedBehavior = "can't be used with links. This would result in undefined behavior";
  if (NetworkMode === 'host' && links) conflict(`host type networking ${undefinedBehavior}`);
  if (!NetworkMode.startsWith('container:')) return;
  if (links) conflict(`container type network ${undefinedBehavior}`);
  if (config.Hostname !== '') conflict('hostname and the network mode');
  if (hostConfig.Dns.length > 0) conflict('dns and the network mode');
  if ((hostConfig.ExtraHosts ?? []).length > 0) conflict('custom host-to-IP mapping and the network mode');
  if (Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts) {
    conflict('port publishing and the container type network mode');
  }
  if (Object.keys(config.ExposedPorts ?? {}).length > 0) conflict('port exposing and the container type network mode');
}

/** Not `not-found`: the docker CLI takes that for a missing image and pulls it. */
function checkThere(parts: Pick<Parts, 'store'>, reference: string, prefix: string): void {
  try {
    parts.store.find(reference);
  } catch (error) {
    throw new EngineError('invalid-parameter', `${prefix}${(error as Error).message}`, { cause: error });
  }
}

function conflict(what: string): never {
  throw new EngineError('invalid-parameter', `conflicting options: ${what}`);
}
