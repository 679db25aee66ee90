/** The words of QEMU's user network for port forwards: `hostfwd_add`, `hostfwd_remove`, `info usernet`. */
import { AppError } from '../../contract/errors.ts';
import { isSameForward } from '../backend.ts';
import type { HostForwards, HostPort, PortForward } from '../backend.ts';
import { userNetwork } from './arguments.ts';
import type { Qmp } from './qmp.ts';

export class QemuForwards implements HostForwards {
  readonly #qmp: Pick<Qmp, 'human'>;
  readonly #sshPort: number;

  /** @param sshPort of the host; its own forward is none of these. */
  constructor(qmp: Pick<Qmp, 'human'>, sshPort: number) {
    this.#qmp = qmp;
    this.#sshPort = sshPort;
  }

  async addForward(forward: PortForward, signal?: AbortSignal): Promise<void> {
    const present = await this.forwards(signal);
    if (present.some((other) => isSameForward(other, forward))) return;
    const said = await this.#qmp.human(`hostfwd_add ${userNetwork.netdev} ${forwardRule(forward)}`, signal);
    if (said.trim() === '') return;
    throw new AppError('port-taken', `publish ${forward.hostIp}:${forward.hostPort}: ${said.trim()}`, {
      hint: 'Choose another port, or end what uses this one.',
    });
  }

  async removeForward(forward: HostPort, signal?: AbortSignal): Promise<void> {
    // Its answer is text for humans in both cases; whether it was there makes no difference to the caller.
    await this.#qmp.human(`hostfwd_remove ${userNetwork.netdev} ${removeRule(forward)}`, signal);
  }

  async forwards(signal?: AbortSignal): Promise<readonly PortForward[]> {
    const all = parseForwards(await this.#qmp.human('info usernet', signal));
    return all.filter((forward) => !(forward.protocol === 'tcp' && forward.hostPort === this.#sshPort));
  }
}

/** `tcp:127.0.0.1:8080-10.0.2.15:49152` */
export function forwardRule(forward: PortForward): string {
  return `${removeRule(forward)}-${userNetwork.guest}:${forward.guestPort}`;
}

/** `tcp:127.0.0.1:8080` */
export function removeRule(forward: HostPort): string {
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
