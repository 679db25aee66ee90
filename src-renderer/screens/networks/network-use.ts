/** Who keeps a network from being removed, and who may join it. Pure. */
import type { ContainerView } from '../../../src-main/contract/engine.ts';
import type { NetworkMember, NetworkView } from '../../../src-main/contract/networks.ts';

/** Has an address on the network by now; any other joins when it starts. */
export function isUp({ state }: Pick<NetworkMember, 'state'>): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}

/** What the engine would agree to remove. */
export function isRemovable({ builtIn, members }: NetworkView): boolean {
  return !builtIn && !members.some(isUp);
}

/** Those that are not on it. Whether one has a network of its own at all, the engine says. */
export function candidatesFor(network: NetworkView, containers: readonly ContainerView[]): readonly ContainerView[] {
  const on = new Set(network.members.map(({ id }) => id));
  return containers.filter(({ id }) => !on.has(id)).toSorted((a, b) => a.name.localeCompare(b.name));
}
