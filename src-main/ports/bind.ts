/** Binds a port of this computer: that address and that family alone, and nobody beside us. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net, { type Server } from 'node:net';
import type { HostPort } from '../vm/backend.ts';

/** Rejects with the system's error. */
export async function listenOn(server: Server, { hostIp, hostPort }: HostPort): Promise<void> {
  server.listen({ host: hostIp, port: hostPort, exclusive: true, ipv6Only: true });
  await once(server, 'listening');
}

export function datagramSocket({ hostIp }: HostPort): dgram.Socket {
  return net.isIPv6(hostIp) ? dgram.createSocket({ type: 'udp6', ipv6Only: true }) : dgram.createSocket('udp4');
}

/** Rejects with the system's error. */
export async function bindTo(socket: dgram.Socket, { hostIp, hostPort }: HostPort): Promise<void> {
  socket.bind({ address: hostIp, port: hostPort, exclusive: true });
  await once(socket, 'listening');
}
