/** Sockets to the kernel's tables of links, addresses and routes: one of the guest's own, and one for each look into a container. */
import type { Kernel, NetlinkSocket } from '../kernel/kernel.ts';
import type { NetlinkMessage } from '../kernel/netlink/message.ts';
import { type NetlinkRequest, request } from '../kernel/netlink/request.ts';
import { decodeLinks, getLink, type Link } from '../kernel/netlink/route.ts';

export interface RouteSockets {
  /** In the guest's own namespace. What the kernel answered to each. */
  readonly own: (...requests: NetlinkRequest[]) => Promise<readonly (readonly NetlinkMessage[])[]>;
  /** @param namespacePath of a network namespace */
  readonly within: <T>(namespacePath: string, work: (socket: NetlinkSocket) => Promise<T>) => Promise<T>;
  /** One of the guest's own links. */
  readonly find: (name: string) => Promise<Link | undefined>;
  readonly close: () => void;
}

export function createRouteSockets(kernel: Kernel): RouteSockets {
  let opened: Promise<NetlinkSocket> | undefined;
  const own: RouteSockets['own'] = async (...requests) => {
    opened ??= kernel.openNetlink('route');
    return request(await opened, requests);
  };
  return {
    own,
    async within(namespacePath, work) {
      const socket = await kernel.openNetlink('route', namespacePath);
      try {
        return await work(socket);
      } finally {
        socket.close();
      }
    },
    async find(name) {
      const [messages = []] = await own(getLink(name));
      return decodeLinks(messages)[0];
    },
    close() {
      void opened?.then((socket) => socket.close());
      opened = undefined;
    },
  };
}
