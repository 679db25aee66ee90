/** Bridges, and the pairs of links that connect containers to them. */
import { closeSync, openSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { createBatches } from './batches.ts';
import type { Kernel, NetlinkSocket } from '../kernel/kernel.ts';
import { addressText } from '../kernel/netlink/addresses.ts';
import { type NetlinkRequest, request } from '../kernel/netlink/request.ts';
import {
  addAddress,
  addDefaultRoute,
  createBridge,
  createVeth,
  decodeAddresses,
  decodeDefaultRoute,
  decodeLinks,
  deleteAddress,
  deleteLink,
  deleteLinkGroup,
  deleteNeighbour,
  getLink,
  isolatePort,
  type Link,
  listAddresses,
  listLinks,
  listRoutes,
  setLinkGroup,
  setLinkMac,
  setLinkUp,
  withoutInet6,
} from '../kernel/netlink/route.ts';

const loopback = 'lo';
/** Of every bridge with IPv6, as Docker has it. */
const bridgeLinkLocal = 'fe80::1';
const linkLocalPrefix = 64;
/** Without an uplink (the guest is cut off) containers still reach each other. */
const defaultMtu = 1500;
/** Of links about to be deleted; any number that nobody else uses. */
const leavingGroup = 0x77726c76;

/** Of either family. */
interface LinkAddress {
  readonly address: string;
  readonly prefixLength: number;
}

interface BridgeRequest {
  readonly name: string;
  readonly addresses: readonly LinkAddress[];
  readonly mac: string;
  readonly mtu: number;
}

interface ConnectRequest {
  /** Path of the container's network namespace. */
  readonly namespacePath: string;
  readonly bridge: Link;
  /** Name of our end. */
  readonly link: string;
  /** Name of the container's end. */
  readonly interfaceName: string;
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly LinkAddress[];
  /** One for each family that leaves this way. */
  readonly gateways: readonly string[];
  /** Reaches the bridge, not its other isolated ports. */
  readonly isolated: boolean;
}

interface DisconnectRequest {
  readonly bridge: Link;
  readonly link: string;
  /** Forgotten as neighbours. */
  readonly addresses: readonly string[];
}

export interface Links {
  /** MTU of the link by which the guest reaches the world. */
  uplinkMtu(): Promise<number>;
  /** Makes the bridge what it should be, whether it is there or not. */
  ensureBridge(request: BridgeRequest): Promise<Link>;
  hasLink(name: string): Promise<boolean>;
  /** Succeeds when there is none. */
  removeBridge(name: string): Promise<void>;
  /** The ways out of a namespace, from now on; at most one of each family. */
  setDefaultRoutes(namespacePath: string, gateways: readonly string[]): Promise<void>;
  /** Names of the bridge's ports. */
  portsOf(bridge: Link): Promise<readonly string[]>;
  /** Sets the loopback of a fresh namespace up: all that the mode `none` has. */
  loopbackUp(namespacePath: string): Promise<void>;
  /** Also sets the loopback up. A failure leaves no link. */
  connect(request: ConnectRequest): Promise<void>;
  /** Succeeds when the link is gone already, as it is with its namespace. Takes some 20 ms; many at once take no longer. */
  disconnect(request: DisconnectRequest): Promise<void>;
  close(): void;
}

export function createLinks(kernel: Kernel): Links {
  let opened: Promise<NetlinkSocket> | undefined;
  const own = async (...requests: NetlinkRequest[]) => {
    opened ??= kernel.openNetlink('route');
    return request(await opened, requests);
  };
  const within = async <T>(namespacePath: string, work: (socket: NetlinkSocket) => Promise<T>): Promise<T> => {
    const socket = await kernel.openNetlink('route', namespacePath);
    try {
      return await work(socket);
    } finally {
      socket.close();
    }
  };
  const find = async (name: string): Promise<Link | undefined> => {
    const [messages = []] = await own(getLink(name));
    return decodeLinks(messages)[0];
  };

  /** Resolves with the index of the container's end. */
  const makePair = async (to: ConnectRequest): Promise<number> => {
    const namespaceDescriptor = openSync(to.namespacePath, 'r');
    try {
      const peer = { name: to.interfaceName, mac: to.mac, namespaceDescriptor };
      const answers = await own(
        createVeth({ name: to.link, master: to.bridge.index, mtu: to.mtu, peer }),
        withoutInet6(to.link),
        ...(to.isolated ? [isolatePort(to.link)] : []),
        setLinkUp(to.link),
        getLink(to.link),
      );
      return decodeLinks(answers.flat())[0]?.peer ?? 0;
    } finally {
      closeSync(namespaceDescriptor);
    }
  };

  const setUpPeer = async (index: Promise<number>, to: ConnectRequest): Promise<void> =>
    within(to.namespacePath, async (socket) => {
      const peer = await index;
      await request(socket, [
        setLinkUp(loopback),
        withoutInet6(to.interfaceName),
        setLinkUp(to.interfaceName),
        ...withLinkLocal(to.addresses, linkLocalOf(to.mac)).map((one) =>
          addAddress(peer, one.address, one.prefixLength),
        ),
        ...to.gateways.map(addDefaultRoute),
      ]);
    });

  /** On a socket of its own: nobody else should wait for the kernel here. */
  const disconnectAll = async (gone: readonly DisconnectRequest[]): Promise<void> => {
    const socket = await kernel.openNetlink('route');
    try {
      await request(socket, [
        ...gone.map(({ link }) => setLinkGroup(link, leavingGroup)),
        deleteLinkGroup(leavingGroup),
        ...gone.flatMap(({ bridge, addresses }) => addresses.map((address) => deleteNeighbour(bridge.index, address))),
      ]);
    } finally {
      socket.close();
    }
  };
  const leave = createBatches(disconnectAll);

  return {
    async uplinkMtu() {
      const [routes = []] = await own(listRoutes());
      const index = decodeDefaultRoute(routes);
      const [links = []] = await own(listLinks());
      return decodeLinks(links).find((link) => link.index === index)?.mtu ?? defaultMtu;
    },

    async ensureBridge({ name, addresses, mac, mtu }) {
      if ((await find(name)) === undefined) await own(createBridge(name, { mac, mtu }));
      const bridge = await find(name);
      if (bridge === undefined) throw new Error(`create bridge ${name}: it is not there afterwards`);
      const wanted = withLinkLocal(addresses, bridgeLinkLocal);
      const [messages = []] = await own(listAddresses());
      const wrong = decodeAddresses(messages).filter(
        (one) =>
          one.index === bridge.index &&
          !wanted.some(({ address, prefixLength }) => one.address === address && one.prefixLength === prefixLength),
      );
      await own(
        ...wrong.map(deleteAddress),
        ...(bridge.mac === mac ? [] : [setLinkMac(name, mac)]),
        withoutInet6(name),
        setLinkUp(name),
        ...wanted.map(({ address, prefixLength }) => addAddress(bridge.index, address, prefixLength)),
      );
      return bridge;
    },

    async removeBridge(name) {
      if ((await find(name)) !== undefined) await own(deleteLink(name));
    },

    setDefaultRoutes: (namespacePath, gateways) =>
      within(namespacePath, async (socket) => {
        await request(socket, gateways.map(addDefaultRoute));
      }),

    hasLink: async (name) => (await find(name)) !== undefined,

    async portsOf(bridge) {
      const [messages = []] = await own(listLinks());
      return decodeLinks(messages).flatMap((link) => (link.master === bridge.index ? [link.name] : []));
    },

    loopbackUp: (namespacePath) =>
      within(namespacePath, async (socket) => {
        await request(socket, [setLinkUp(loopback)]);
      }),

    async connect(to) {
      const making = makePair(to);
      try {
        // The socket over there is opened meanwhile.
        await Promise.all([making, setUpPeer(making, to)]);
      } catch (cause) {
        await Promise.allSettled([making]);
        await own(deleteLink(to.link)).catch((undo: unknown) => {
          throw new AggregateError([cause, undo], `connect ${to.link} failed, and so did taking it away`);
        });
        throw cause;
      }
    },

    disconnect: (request) => leave(request),

    close() {
      void opened?.then((socket) => socket.close());
      opened = undefined;
    },
  };
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
