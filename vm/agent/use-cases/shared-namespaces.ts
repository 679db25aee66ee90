/** What a container that shares another's namespaces, or the VM's, cannot have of its own; refused in Docker's words. */
import { EngineError } from '../../contract/errors.ts';
import { parseNetworkMode } from '../network/network-mode.ts';
import type { ContainerConfig, HostConfig } from '../state/container-record.ts';
import type { Parts } from './parts.ts';

type Asked = Pick<ContainerConfig, 'Hostname' | 'ExposedPorts'>;

/** As asked, before defaults. A container whose network is shared may be missing until the start, as in Docker. */
export function checkSharedNamespaces(parts: Pick<Parts, 'store'>, config: Asked, hostConfig: HostConfig): void {
  checkNetwork(config, hostConfig);
  for (const mode of [hostConfig.PidMode, hostConfig.IpcMode]) {
    const other = /^container:(.+)$/.exec(mode)?.[1];
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
