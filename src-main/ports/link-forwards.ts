/**
 * Ports of the host that this process listens on, each connection a channel of the link: where the VM's monitor forwards none (Hyper-V),
 * and for IPv6 addresses, which QEMU's does not know. They end with this process; the next one's `sync` brings them back.
 */
import { once } from 'node:events';
import net, { type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '../contract/errors.ts';
import { isSameForward, isSameHostPort } from '../vm/backend.ts';
import type { HostForwards, HostPort, PortForward } from '../vm/backend.ts';
import { listenOn } from './bind.ts';

/** A client that waits longer for its container than this is told no: the link may be down. */
const connectTimeoutMs = 10_000;

interface Listener {
  readonly forward: PortForward;
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

export class LinkForwards implements HostForwards, AsyncDisposable {
  readonly #connect: (guestPort: number, signal: AbortSignal) => Promise<Duplex>;
  readonly #listeners = new Set<Listener>();

  /** @param connect opens a TCP connection to a port of the guest; half-close is kept. */
  constructor(connect: (guestPort: number, signal: AbortSignal) => Promise<Duplex>) {
    this.#connect = connect;
  }

  async addForward(forward: PortForward): Promise<void> {
    const { protocol, hostIp, hostPort } = forward;
    if (protocol === 'udp') {
      throw new AppError('unsupported', `publish ${hostIp}:${hostPort}: the link forwards TCP only`, {
        hint: 'With QEMU, UDP can be published on IPv4 addresses.',
      });
    }
    if ([...this.#listeners].some((listener) => isSameForward(listener.forward, forward))) return;
    const sockets = new Set<Socket>();
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      // Accepted while the port was being taken back.
      if (!server.listening) {
        socket.destroy();
        return;
      }
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      void this.#join(socket, forward.guestPort);
    });
    try {
      await listenOn(server, forward);
    } catch (cause) {
      throw new AppError('port-taken', `publish ${hostIp}:${hostPort}: ${(cause as Error).message}`, {
        hint: 'Choose another port, or end what uses this one.',
        cause,
      });
    }
    server.on('error', () => undefined);
    this.#listeners.add({ forward, server, sockets });
  }

  async removeForward(port: HostPort): Promise<void> {
    const listener = [...this.#listeners].find(({ forward }) => isSameHostPort(forward, port));
    if (listener !== undefined) await this.#close(listener);
  }

  forwards(): Promise<readonly PortForward[]> {
    return Promise.resolve([...this.#listeners].map(({ forward }) => forward));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => this.#close(listener)));
  }

  async #close(listener: Listener): Promise<void> {
    this.#listeners.delete(listener);
    const closed = once(listener.server, 'close');
    listener.server.close();
    for (const socket of listener.sockets) socket.destroy();
    await closed;
  }

  async #join(socket: Socket, guestPort: number): Promise<void> {
    const left = new AbortController();
    socket.on('error', () => socket.destroy());
    socket.once('close', () => left.abort());
    try {
      const guest = await this.#connect(
        guestPort,
        AbortSignal.any([left.signal, AbortSignal.timeout(connectTimeoutMs)]),
      );
      guest.on('error', () => socket.destroy());
      if (socket.destroyed) guest.destroy();
      socket.once('close', () => guest.destroy());
      socket.pipe(guest).pipe(socket);
    } catch {
      // As QEMU does it: who connects to a port that nobody serves is cut off.
      socket.resetAndDestroy();
    }
  }
}

/** Each port by the way that has it: the monitor where there is one, for IPv4; the link for the rest. */
export function splitForwards(monitor: HostForwards | undefined, link: HostForwards): HostForwards {
  const wayOf = (port: Pick<PortForward, 'hostIp'>): HostForwards =>
    monitor !== undefined && net.isIPv4(port.hostIp) ? monitor : link;
  return {
    addForward: (forward, signal) => wayOf(forward).addForward(forward, signal),
    removeForward: (port, signal) => wayOf(port).removeForward(port, signal),
    async forwards(signal) {
      return [...((await monitor?.forwards(signal)) ?? []), ...(await link.forwards(signal))];
    },
  };
}
