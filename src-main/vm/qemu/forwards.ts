/** The words of QEMU's user network for port forwards: `hostfwd_add`, `hostfwd_remove`, `info usernet`. */
import type { PortForward } from '../backend.ts';
import { userNetwork } from './arguments.ts';

/** `tcp:127.0.0.1:8080-10.0.2.15:49152` */
export function forwardRule(forward: PortForward): string {
  return `${removeRule(forward)}-${userNetwork.guest}:${forward.guestPort}`;
}

/** `tcp:127.0.0.1:8080` */
export function removeRule(forward: Omit<PortForward, 'guestPort'>): string {
  return `${forward.protocol}:${forward.hostIp}:${forward.hostPort}`;
}

/**
 * Reads the forwards out of `info usernet`:
 *
 * ```
 * Hub -1 (net0):
 *   Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
 *   TCP[HOST_FORWARD]  12       127.0.0.1  2222       10.0.2.15    22     0     0
 *   UDP[HOST_FORWARD]  13       127.0.0.1  5353       10.0.2.15    53     0     0
 * ```
 * `*` stands for every address.
 */
export function parseForwards(text: string): PortForward[] {
  const forwards: PortForward[] = [];
  for (const line of text.split('\n')) {
    const words = /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)/.exec(line);
    const [, protocol, hostIp, hostPort, , guestPort] = words ?? [];
    if (protocol === undefined || hostIp === undefined) continue;
    forwards.push({
      protocol: protocol === 'TCP' ? 'tcp' : 'udp',
      hostIp: hostIp === '*' ? '0.0.0.0' : hostIp,
      hostPort: Number(hostPort),
      guestPort: Number(guestPort),
    });
  }
  return forwards;
}
