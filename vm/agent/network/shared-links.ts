/**
 * Networks of the drivers macvlan and ipvlan: containers share a link of the guest that leads nowhere (`dummy`), and the guest has a
 * place of its own there, for the name server. Such a link is made within the container's namespace, and ends with it.
 */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Kernel, KernelError } from '../kernel/kernel.ts';
import { request } from '../kernel/netlink/request.ts';
import {
  createDummy,
  createSharedLink,
  decodeLinks,
  deleteLink,
  deleteLinkAt,
  getLink,
  type Link,
  setLinkName,
  setLinkUp,
  type SharedLinkKind,
} from '../kernel/netlink/route.ts';
import { setUpContained, setUpOwn, type ContainerLink, type LinkAddress } from './link-addresses.ts';
import { createRouteSockets } from './route-sockets.ts';

/** The kernel takes the namespace of a container that has ended away behind our back: as long as this its addresses are not free. */
const busyMs = 5000;
const busyPauseMs = 20;

/** Names of the guest's links of a network. */
export interface SharedNames {
  readonly parent: string;
  /** The guest's own place. */
  readonly own: string;
}

interface EnsureRequest extends SharedNames {
  readonly kind: SharedLinkKind;
  readonly addresses: readonly LinkAddress[];
  readonly mac: string;
  readonly mtu: number;
}

interface ConnectRequest extends ContainerLink {
  /** Path of the container's network namespace. */
  readonly namespacePath: string;
  readonly parent: string;
  readonly kind: SharedLinkKind;
  readonly mtu: number;
  /** Name under which it is made: one that the guest has no link of, as it has of `eth0`. */
  readonly link: string;
}

export interface SharedLinks {
  /** Makes both links what they should be, whether they are there or not. Resolves with the guest's own. */
  ensure(request: EnsureRequest): Promise<Link>;
  /** With all that share it. Succeeds when there is none. */
  remove(parent: string): Promise<void>;
  /** Also sets the loopback up. A failure leaves no link. */
  connect(request: ConnectRequest): Promise<void>;
  /** Takes a link out of a container that runs. Succeeds when it is gone already. */
  disconnect(namespacePath: string, interfaceName: string): Promise<void>;
  close(): void;
}

export function createSharedLinks(kernel: Kernel): SharedLinks {
  const routes = createRouteSockets(kernel);
  const { own, within, find } = routes;

  const findOrMake = async (name: string, make: () => Promise<unknown>): Promise<Link> => {
    const present = await find(name);
    if (present !== undefined) return present;
    await make();
    const made = await find(name);
    if (made === undefined) throw new Error(`create link ${name}: it is not there afterwards`);
    return made;
  };

  return {
    async ensure({ parent, own: name, kind, addresses, mac, mtu }) {
      const { index } = await findOrMake(parent, () => own(createDummy(parent, mtu)));
      await own(setLinkUp(parent));
      const link = await findOrMake(name, () => own(createSharedLink({ name, parent: index, kind, mac, mtu })));
      await setUpOwn(routes, link, addresses);
      return link;
    },

    async remove(parent) {
      if ((await find(parent)) !== undefined) await own(deleteLink(parent));
    },

    async connect(to) {
      const { link: name, interfaceName, namespacePath, kind, mac, mtu } = to;
      const parent = await find(to.parent);
      if (parent === undefined) throw new Error(`connect ${name}: the link ${to.parent} is gone`);
      const namespaceDescriptor = openSync(namespacePath, 'r');
      try {
        await own(createSharedLink({ name, parent: parent.index, kind, mac, mtu, namespaceDescriptor }));
      } finally {
        closeSync(namespaceDescriptor);
      }
      await within(namespacePath, async (socket) => {
        const [messages = []] = await request(socket, [getLink(name)]);
        const index = decodeLinks(messages)[0]?.index ?? 0;
        try {
          await request(socket, [setLinkName(index, interfaceName)]);
          await untilFree(() => setUpContained(socket, index, to));
        } catch (cause) {
          await request(socket, [deleteLinkAt(index)]).catch((undo: unknown) => {
            throw new AggregateError([cause, undo], `connect ${name} failed, and so did taking it away`);
          });
          throw cause;
        }
      });
    },

    async disconnect(namespacePath, interfaceName) {
      try {
        await within(namespacePath, (socket) => request(socket, [deleteLink(interfaceName)]));
      } catch (cause) {
        // The container has ended, and its namespace with it.
        if (!(cause instanceof KernelError && cause.code === 'ENOENT')) throw cause;
      }
    },

    close: () => routes.close(),
  };
}

async function untilFree(work: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + busyMs;
  for (;;) {
    try {
      await work();
      return;
    } catch (cause) {
      const isBusy = cause instanceof KernelError && cause.code === 'EADDRINUSE';
      if (!isBusy || performance.now() > deadline) throw cause;
      await delay(busyPauseMs);
    }
  }
}
