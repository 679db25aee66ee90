/** Addresses of links, of both families. */
import { isIPv6 } from 'node:net';
import type { NetlinkSocket } from '../kernel/kernel.ts';
import { addressText } from '../kernel/netlink/addresses.ts';
import { request } from '../kernel/netlink/request.ts';
import {
  addAddress,
  addDefaultRoute,
  decodeAddresses,
  deleteAddress,
  listAddresses,
  setLinkUp,
  withoutInet6,
  type Link,
} from '../kernel/netlink/route.ts';
import type { RouteSockets } from './route-sockets.ts';

/** Of every link of ours with IPv6 that containers meet, as Docker has it. */
const ownLinkLocal = 'fe80::1';
const linkLocalPrefix = 64;
export const loopback = 'lo';

/** Of either family. */
export interface LinkAddress {
  readonly address: string;
  readonly prefixLength: number;
}

/** A container's end of a link, as it is to be. */
export interface ContainerLink {
  readonly interfaceName: string;
  /** Its own; with ipvlan only the link-local address is made from it. */
  readonly mac: string;
  readonly addresses: readonly LinkAddress[];
  /** One for each family that leaves this way. */
  readonly gateways: readonly string[];
}

/** Sets a container's link up, and its loopback. @param socket in the container's namespace @param index of the link there */
export async function setUpContained(
  socket: NetlinkSocket,
  index: number,
  { interfaceName, mac, addresses, gateways }: ContainerLink,
): Promise<void> {
  await request(socket, [
    setLinkUp(loopback),
    withoutInet6(interfaceName),
    setLinkUp(interfaceName),
    ...withLinkLocal(addresses, linkLocalOf(mac)).map((one) => addAddress(index, one.address, one.prefixLength)),
    ...gateways.map(addDefaultRoute),
  ]);
}

/** Sets one of the guest's own links up, with these addresses and no others. */
export async function setUpOwn(
  { own }: Pick<RouteSockets, 'own'>,
  { index, name }: Link,
  addresses: readonly LinkAddress[],
): Promise<void> {
  const wanted = withLinkLocal(addresses, ownLinkLocal);
  const [messages = []] = await own(listAddresses());
  const wrong = decodeAddresses(messages).filter(
    (one) =>
      one.index === index &&
      !wanted.some(({ address, prefixLength }) => one.address === address && one.prefixLength === prefixLength),
  );
  await own(
    ...wrong.map(deleteAddress),
    withoutInet6(name),
    setLinkUp(name),
    ...wanted.map(({ address, prefixLength }) => addAddress(index, address, prefixLength)),
  );
}

/**
 * Finding neighbours by IPv6 takes a link-local address. Ours are given, not made by the kernel: there at once, and only on links
 * with IPv6.
 */
function withLinkLocal(addresses: readonly LinkAddress[], linkLocal: string): readonly LinkAddress[] {
  const hasInet6 = addresses.some(({ address }) => isIPv6(address));
  return hasInet6 ? [...addresses, { address: linkLocal, prefixLength: linkLocalPrefix }] : addresses;
}

/** As the kernel itself would make it (RFC 4291, appendix A): `02:42:ac:12:00:02` → `fe80::42:acff:fe12:2`. */
function linkLocalOf(mac: string): string {
  const [first = 0, ...rest] = Buffer.from(mac.replaceAll(':', ''), 'hex');
  const id = Buffer.from([first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)]);
  return addressText(Buffer.concat([Buffer.from('fe80000000000000', 'hex'), id]));
}
