/** Makes the VM's port forwards what the guest wants. One request at a time: rules are read, then changed. */
import net from 'node:net';
import { toErrorView } from '../contract/errors.ts';
import type { FailedPort, PortMessageToHost, WantedPort } from '../../vm/contract/wherry-api.ts';
import type { PortForward, RunningVm } from '../vm/backend.ts';
import type { BindProblem, HostPort } from './bind-check.ts';

/** The part of a running VM used here. */
export type ForwardTarget = Pick<RunningVm, 'addForward' | 'removeForward' | 'forwards'>;

export class PortForwarder {
  readonly #vm: ForwardTarget;
  readonly #check: (port: HostPort) => Promise<BindProblem | undefined>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(vm: ForwardTarget, check: (port: HostPort) => Promise<BindProblem | undefined>) {
    this.#vm = vm;
    this.#check = check;
  }

  /** Does what the message asks; resolves with those ports that could not be bound. Never rejects for a single port. */
  async handle(message: PortMessageToHost): Promise<readonly FailedPort[]> {
    const done = this.#last.then(() => this.#apply(message));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #apply(message: PortMessageToHost): Promise<readonly FailedPort[]> {
    switch (message.kind) {
      case 'sync':
        return this.#sync(message.ports);
      case 'add':
        return this.#add(message.port, await this.#vm.forwards());
      case 'remove': {
        const present = await this.#vm.forwards();
        // The same host port may meanwhile lead elsewhere: then it is not the one to be removed.
        if (present.some((forward) => isFor(forward, message.port)))
          await this.#vm.removeForward(hostPart(message.port));
        return [];
      }
    }
  }

  async #sync(wanted: readonly WantedPort[]): Promise<readonly FailedPort[]> {
    const present = await this.#vm.forwards();
    const kept: PortForward[] = [];
    for (const forward of present) {
      if (wanted.some((port) => isFor(forward, port))) kept.push(forward);
      else await this.#vm.removeForward(forward);
    }
    const failed: FailedPort[] = [];
    for (const port of wanted) failed.push(...(await this.#add(port, kept)));
    return failed;
  }

  async #add(port: WantedPort, present: readonly PortForward[]): Promise<readonly FailedPort[]> {
    if (present.some((forward) => isFor(forward, port))) return [];
    if (!net.isIPv4(port.hostIp)) {
      const message = "the VM's network forwards IPv4 addresses only; use 127.0.0.1 or 0.0.0.0";
      return [{ port, reason: 'other', message }];
    }
    const other = present.find((forward) => isSameHostPort(forward, port));
    if (other !== undefined) return [{ port, reason: 'taken', message: 'by another container' }];
    const problem = await this.#check(hostPart(port));
    if (problem !== undefined) return [{ port, ...problem }];
    try {
      await this.#vm.addForward({ ...hostPart(port), guestPort: port.guestPort });
      return [];
    } catch (error) {
      const view = toErrorView(error);
      return [{ port, reason: view.code === 'port-taken' ? 'taken' : 'other', message: view.message }];
    }
  }
}

function hostPart({ protocol, hostIp, hostPort }: HostPort): HostPort {
  return { protocol, hostIp, hostPort };
}

function isFor(forward: PortForward, port: WantedPort): boolean {
  return isSameHostPort(forward, port) && forward.guestPort === port.guestPort;
}

function isSameHostPort(a: HostPort, b: HostPort): boolean {
  return a.protocol === b.protocol && a.hostIp === b.hostIp && a.hostPort === b.hostPort;
}
