/** Ports as the window and the tray offer them. */
import type { PortView } from './engine.ts';

/** Where a published TCP port is reached from this computer, as a link. */
export function portUrl(port: PortView): string | undefined {
  if (port.hostPort === undefined || port.protocol !== 'tcp') return undefined;
  const everywhere = port.hostIp === undefined || ['', '0.0.0.0', '::', '127.0.0.1', '::1'].includes(port.hostIp);
  const address = everywhere ? 'localhost' : port.hostIp.includes(':') ? `[${port.hostIp}]` : port.hostIp;
  return `${port.hostPort === 443 ? 'https' : 'http'}://${address}:${port.hostPort}/`;
}

/** The same port published on IPv4 and IPv6 is one port to the user. */
export function distinctPorts(ports: readonly PortView[]): readonly PortView[] {
  const seen = new Map<string, PortView>();
  for (const port of ports) {
    const key = `${port.hostPort ?? ''}:${port.containerPort}/${port.protocol}`;
    if (!seen.has(key)) seen.set(key, port);
  }
  return [...seen.values()].sort((a, b) => Number(b.hostPort !== undefined) - Number(a.hostPort !== undefined));
}
