import type { NetworkView } from '../../../src-main/contract/networks.ts';

type Reach = Pick<NetworkView, 'driver' | 'internal'>;

/** Its containers reach the outside by it. What those of macvlan and ipvlan share leads nowhere. */
export const leadsOut = ({ driver, internal }: Reach): boolean =>
  driver !== 'null' && driver !== 'macvlan' && driver !== 'ipvlan' && !internal;

/** What is reached from a container on it, in words. */
export function reachOf(network: Reach): string {
  if (network.driver === 'host') return 'The engine’s own network, without isolation';
  if (network.driver === 'null') return 'Nothing: containers on it have no network';
  return leadsOut(network) ? 'The containers on it, and the outside' : 'The containers on it, and nothing outside';
}
