/** The name server of the bridges' gateways: own names first, the guest's name servers for the rest. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Forwarder } from './forwarder.ts';
import { addressOfPointerQuery, answer, failure, parseQuery, pointerAnswer, responseCodes } from './message.ts';
import { readFrames, writeFrame } from './tcp-frames.ts';

const maxInFlight = 1024;
/** One container must not take it all. */
const maxInFlightPerClient = 128;
const maxTcpConnections = 256;
const tcpIdleMs = 15_000;
/** A client that asks without reading is let wait. */
const maxTcpUnread = 256 << 10;

export interface DnsServerOptions {
  readonly forward: Forwarder;
  /** Addresses of a name (lower case) as `client` may know it; undefined: not ours. */
  readonly lookup: (name: string, client: string) => readonly string[] | undefined;
  /** Name of an address as `client` may know it; undefined: not ours. */
  readonly reverse: (address: string, client: string) => string | undefined;
}

export interface DnsServer {
  /** By UDP and TCP. With port 0, the port that was found for both. */
  listen(address: string, port: number): Promise<number>;
  /** No more on this address. */
  unlisten(address: string): Promise<void>;
  close(): Promise<void>;
}

export function createDnsServer({ forward, lookup, reverse }: DnsServerOptions): DnsServer {
  const listeners = new Map<string, { readonly socket: UdpSocket; readonly server: Server }>();
  const connections = new Set<Socket>();
  const inFlight = new Map<string, number>();
  let total = 0;

  const forwardBounded = async (
    message: Buffer,
    questionEnd: number,
    client: string,
    transport: 'udp' | 'tcp',
  ): Promise<Buffer> => {
    const own = inFlight.get(client) ?? 0;
    if (total >= maxInFlight || own >= maxInFlightPerClient) {
      return failure(message, responseCodes.serverFailure, questionEnd);
    }
    total++;
    inFlight.set(client, own + 1);
    try {
      const response = await forward({ message, questionEnd, transport });
      return response ?? failure(message, responseCodes.serverFailure, questionEnd);
    } finally {
      total--;
      const left = (inFlight.get(client) ?? 1) - 1;
      if (left === 0) inFlight.delete(client);
      else inFlight.set(client, left);
    }
  };

  const resolve = async (message: Buffer, client: string, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> => {
    const query = parseQuery(message);
    if (query === 'drop') return undefined;
    if (typeof query === 'number') return failure(message, query);
    const known = query.isInternet ? lookup(query.name, client) : undefined;
    if (known !== undefined) return answer(message, query, known);
    const asked = addressOfPointerQuery(query);
    const target = asked === undefined ? undefined : reverse(asked, client);
    if (target !== undefined) return pointerAnswer(message, query, target);
    return forwardBounded(message, query.questionEnd, client, transport);
  };

  const listenUdp = async (address: string, port: number): Promise<UdpSocket> => {
    const socket = createSocket('udp4');
    const isOpen = (): boolean => [...listeners.values()].some((one) => one.socket === socket);
    socket.on('message', (message, from) => {
      void resolve(message, from.address, 'udp').then((response) => {
        // The client may be gone, and the socket closed meanwhile: it was asked without a promise.
        if (response !== undefined && isOpen()) socket.send(response, from.port, from.address, () => undefined);
      });
    });
    socket.bind(port, address);
    await once(socket, 'listening');
    // Later errors (an unreachable client) are of one datagram, not of the server.
    socket.on('error', () => undefined);
    return socket;
  };

  const serveTcp = (socket: Socket): void => {
    connections.add(socket);
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
    // Ends with 'close'; a broken connection is the client's affair.
    socket.on('error', () => undefined);
    const client = socket.remoteAddress ?? '';
    readFrames(socket, (message) => {
      void resolve(message, client, 'tcp').then((response) => {
        if (response === undefined || socket.writableLength > maxTcpUnread) socket.destroy();
        else if (socket.writable) writeFrame(socket, response);
      });
    });
  };

  const listenTcp = async (address: string, port: number): Promise<Server> => {
    const server = createServer(serveTcp);
    server.maxConnections = maxTcpConnections;
    server.listen(port, address);
    await once(server, 'listening');
    server.on('error', () => undefined);
    return server;
  };

  const unlisten = async (address: string): Promise<void> => {
    const found = listeners.get(address);
    if (found === undefined) return;
    listeners.delete(address);
    found.socket.close();
    found.server.close();
    for (const connection of connections) if (connection.localAddress === address) connection.destroy();
    await once(found.server, 'close');
  };

  return {
    async listen(address, port) {
      const server = await listenTcp(address, port);
      const bound = server.address();
      const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
      try {
        listeners.set(address, { server, socket: await listenUdp(address, actual) });
      } catch (error) {
        server.close();
        throw error;
      }
      return actual;
    },
    unlisten,
    async close() {
      await Promise.all([...listeners.keys()].map(unlisten));
    },
  };
}
