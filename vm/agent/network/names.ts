/** What names mean to a container that asks: those of the containers in its own user-defined networks. Pure. */
import type { EndpointRecord } from './endpoint-store.ts';
import { defaultNetwork } from './network-mode.ts';

/** The networks in which containers know each other by name: on the default one they do not, as with Docker. */
const named = (endpoint: EndpointRecord): boolean => endpoint.address !== '' && endpoint.networkName !== defaultNetwork;

/** All of its addresses, that of IPv4 first. */
export function addressesOf({ address, inet6 }: Pick<EndpointRecord, 'address' | 'inet6'>): string[] {
  return [...(address === '' ? [] : [address]), ...(inet6 === undefined ? [] : [inet6.address])];
}

/** Lower case, as DNS compares. */
export function namesOf({ containerName, containerId, aliases }: EndpointRecord): string[] {
  return [containerName, ...aliases, containerId.slice(0, 12)].map((name) => name.toLowerCase());
}

/**
 * Addresses of `name`, which may end in `.<network>`, for the container at the address `client`; undefined: nobody's.
 * Several have the same alias: all of them, in an order that changes.
 */
export function lookUpName(
  endpoints: readonly EndpointRecord[],
  name: string,
  client: string,
): readonly string[] | undefined {
  const addresses = networksOf(endpoints, client).flatMap((own) => {
    const there = endpoints.filter((one) => one.networkId === own.networkId && named(one));
    const suffix = `.${own.networkName.toLowerCase()}`;
    const short = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
    const wanted = linked(own, short) ?? short;
    return there.filter((one) => namesOf(one).includes(wanted)).flatMap(addressesOf);
  });
  const unique = [...new Set(addresses)];
  const turn = Math.floor(Math.random() * unique.length);
  return unique.length === 0 ? undefined : [...unique.slice(turn), ...unique.slice(0, turn)];
}

/** `web.shop`, for the address of a container that `client` shares a network with. */
export function lookUpAddress(
  endpoints: readonly EndpointRecord[],
  address: string,
  client: string,
): string | undefined {
  const own = networksOf(endpoints, client).map(({ networkId }) => networkId);
  const found = endpoints.find((one) => addressesOf(one).includes(address) && own.includes(one.networkId));
  return found === undefined ? undefined : `${found.containerName}.${found.networkName}`;
}

/** All places of the container that has this address. */
function networksOf(endpoints: readonly EndpointRecord[], client: string): EndpointRecord[] {
  const asking = endpoints.find((one) => addressesOf(one).includes(client));
  return endpoints.filter((one) => one.containerId === asking?.containerId && named(one));
}

/** The container that the asking one has a name of its own for. */
function linked({ links }: EndpointRecord, name: string): string | undefined {
  for (const link of links) {
    const [container = '', alias = container] = link.split(':');
    if (alias.toLowerCase() === name) return container.replace(/^\//, '').toLowerCase();
  }
  return undefined;
}
