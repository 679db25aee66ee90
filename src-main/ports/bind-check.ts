/** Tries a port before the VM's monitor does: the monitor only says that it failed, the system says why. */
import { once } from 'node:events';
import net from 'node:net';
import type { FailedPort } from '../../vm/contract/wherry-api.ts';
import type { HostPort } from '../vm/backend.ts';
import { bindTo, datagramSocket, listenOn } from './bind.ts';
import { describeHolder, findHolder } from './holder.ts';

export type BindProblem = Pick<FailedPort, 'reason' | 'message'>;

/** Undefined when the port is free and may be bound by us. */
export async function checkBind(port: HostPort): Promise<BindProblem | undefined> {
  try {
    await (port.protocol === 'tcp' ? bindTcp(port) : bindUdp(port));
    return undefined;
  } catch (error) {
    return explain(port, error as NodeJS.ErrnoException);
  }
}

async function bindTcp(port: HostPort): Promise<void> {
  const server = net.createServer();
  await listenOn(server, port);
  server.close();
  await once(server, 'close');
}

async function bindUdp(port: HostPort): Promise<void> {
  const socket = datagramSocket(port);
  try {
    await bindTo(socket, port);
  } finally {
    socket.close();
  }
}

async function explain(port: HostPort, error: NodeJS.ErrnoException): Promise<BindProblem> {
  switch (error.code) {
    case 'EADDRINUSE': {
      const holder = await findHolder(port.protocol, port.hostPort);
      return { reason: 'taken', message: describeHolder(holder) };
    }
    case 'EACCES':
    case 'EPERM':
      return { reason: 'forbidden', message: `permission denied: ${forbiddenHint(port.hostPort)}` };
    case 'EADDRNOTAVAIL':
      return { reason: 'other', message: `${port.hostIp} is no address of this machine` };
    default:
      return { reason: 'other', message: error.message };
  }
}

function forbiddenHint(port: number, platform: NodeJS.Platform = process.platform): string {
  if (port < 1024 && platform === 'linux') {
    return `ports below 1024 are for root; choose another, or allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}`;
  }
  if (platform === 'win32')
    return 'Windows keeps this port for itself (netsh int ipv4 show excludedportrange protocol=tcp)';
  return port < 1024 ? 'ports below 1024 are for root; choose another' : 'this user may not bind it';
}
