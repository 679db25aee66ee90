/**
 * The published ports of a VM that sleeps: this process listens on them, and whoever connects wakes it. A connection is held until
 * its port leads to the guest again, and then joined to it, so that the client notices no more than a slow answer. A datagram wakes
 * it too, and is lost as datagrams may be: its sender asks again.
 */
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { isSameHostPort, type HostPort } from '../vm/backend.ts';
import { bindTo, datagramSocket, listenOn } from './bind.ts';

/** Of one port while the VM wakes; a client that is turned away tries again. */
const heldConnections = 256;

interface Listener {
  readonly port: HostPort;
  /** Waits until the port is given back. */
  readonly close: () => Promise<unknown>;
}

interface Held {
  readonly port: HostPort;
  readonly socket: Socket;
}

export class WakingPorts implements AsyncDisposable {
  readonly #wake: () => Promise<void>;
  readonly #listeners = new Set<Listener>();
  readonly #held = new Set<Held>();

  /** @param wake resolves when the VM is ready; rejects when it will not be. Called for each connection. */
  constructor(wake: () => Promise<void>) {
    this.#wake = wake;
  }

  /** Listens on those it does not listen on yet. One that another program has taken meanwhile is left to it. */
  async hold(ports: readonly HostPort[]): Promise<void> {
    await Promise.all(ports.map((port) => this.#listen(port)));
  }

  /** Lets go of a port, so that the VM may have it. Connections to it stay held. */
  async release(port: HostPort): Promise<void> {
    const found = [...this.#listeners].filter((listener) => isSameHostPort(listener.port, port));
    await Promise.all(found.map((listener) => this.#close(listener)));
  }

  /** The port leads to the guest now: what was held for it goes there. */
  join(port: HostPort): void {
    for (const held of [...this.#held].filter((one) => isSameHostPort(one.port, port))) {
      this.#held.delete(held);
      joinTo(port, held.socket);
    }
  }

  /** Lets go of all ports, and cuts off who still waits for one. */
  async drop(): Promise<void> {
    for (const { socket } of this.#held) socket.resetAndDestroy();
    this.#held.clear();
    await Promise.all([...this.#listeners].map((listener) => this.#close(listener)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drop();
  }

  async #listen(port: HostPort): Promise<void> {
    if ([...this.#listeners].some((listener) => isSameHostPort(listener.port, port))) return;
    const { opened, close } = port.protocol === 'tcp' ? this.#openTcp(port) : this.#openUdp(port);
    const listener: Listener = { port, close: () => opened.then(close, () => undefined) };
    this.#listeners.add(listener);
    // Taken by another program, or no longer ours to bind: the VM will say so when it wakes.
    await opened.catch(() => this.#listeners.delete(listener));
  }

  async #close(listener: Listener): Promise<void> {
    this.#listeners.delete(listener);
    await listener.close();
  }

  #openTcp(port: HostPort): { opened: Promise<unknown>; close: () => Promise<unknown> } {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      if (server.listening) void this.#keep({ port, socket });
      else socket.resetAndDestroy();
    });
    server.maxConnections = heldConnections;
    const opened = listenOn(server, port).then(() => server.on('error', () => undefined));
    return {
      opened,
      close: () => {
        // Its `close` event would wait for the connections; the port is free when the handle is gone, in the next turn.
        server.close();
        return new Promise(setImmediate);
      },
    };
  }

  #openUdp(port: HostPort): { opened: Promise<unknown>; close: () => Promise<unknown> } {
    const socket = datagramSocket(port);
    socket.on('message', () => void this.#wake().catch(() => undefined));
    const opened = bindTo(socket, port).then(() => socket.on('error', () => undefined));
    return {
      opened,
      close: () => {
        const closed = once(socket, 'close');
        socket.close();
        return closed;
      },
    };
  }

  async #keep(held: Held): Promise<void> {
    const { socket } = held;
    this.#held.add(held);
    socket.once('close', () => this.#held.delete(held));
    socket.on('error', () => socket.destroy());
    try {
      await this.#wake();
    } catch {
      if (this.#held.has(held)) socket.resetAndDestroy();
    }
  }
}

/** Each direction ends on its own; a failure of one ends both. */
function joinTo({ hostIp, hostPort }: HostPort, socket: Socket): void {
  const guest = net.connect({ host: reachableAt(hostIp), port: hostPort, allowHalfOpen: true, noDelay: true });
  guest.on('error', () => socket.resetAndDestroy());
  socket.once('close', () => guest.destroy());
  socket.pipe(guest).pipe(socket);
}

/** Where a port that is bound to all addresses is reached from here. */
function reachableAt(hostIp: string): string {
  if (hostIp === '0.0.0.0') return '127.0.0.1';
  return /^[0:]+$/.test(hostIp) ? '::1' : hostIp;
}
