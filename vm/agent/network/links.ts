/** Bridges, and the pairs of links that connect containers to them. */
import { closeSync, openSync } from 'node:fs';
import { createBatches } from './batches.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { request } from '../kernel/netlink/request.ts';
import {
  addDefaultRoute,
  createBridge,
  createVeth,
  decodeDefaultRoute,
  decodeLinks,
  deleteLink,
  deleteLinkGroup,
  deleteNeighbour,
  getLink,
  isolatePort,
  type Link,
  listLinks,
  listRoutes,
  setLinkGroup,
  setLinkMac,
  setLinkUp,
  withoutInet6,
} from '../kernel/netlink/route.ts';
import { loopback, setUpContained, setUpOwn, type ContainerLink, type LinkAddress } from './link-addresses.ts';
import { createRouteSockets } from './route-sockets.ts';

/** Without an uplink (the guest is cut off) containers still reach each other. */
const defaultMtu = 1500;
/** Of links about to be deleted; any number that nobody else uses. */
const leavingGroup = 0x77726c76;

interface BridgeRequest {
  readonly name: string;
  readonly addresses: readonly LinkAddress[];
  readonly mac: string;
  readonly mtu: number;
}

interface ConnectRequest extends ContainerLink {
  /** Path of the container's network namespace. */
  readonly namespacePath: string;
  readonly bridge: Link;
  /** Name of our end. */
  readonly link: string;
  readonly mtu: number;
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
  const routes = createRouteSockets(kernel);
  const { own, within, find } = routes;

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
    within(to.namespacePath, async (socket) => setUpContained(socket, await index, to));

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
      if (bridge.mac !== mac) await own(setLinkMac(name, mac));
      await setUpOwn(routes, bridge, addresses);
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

    close: () => routes.close(),
  };
}
