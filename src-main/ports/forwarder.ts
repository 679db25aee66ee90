/** Makes the VM's port forwards what the guest wants. One request at a time: rules are read, then changed. */
import { toErrorView } from '../contract/errors.ts';
import type { FailedPort, PortMessageToHost, WantedPort } from '../../vm/contract/wherry-api.ts';
import { isSameForward, isSameHostPort } from '../vm/backend.ts';
import type { HostForwards, HostPort, PortForward } from '../vm/backend.ts';
import type { BindProblem } from './bind-check.ts';

/** Who has the ports of a VM that wakes, until they lead to it again. */
export interface PortsBefore {
  /** Resolves when the port is free to be bound. */
  release(port: HostPort): Promise<void>;
  /** It leads to the guest now. */
  join(port: HostPort): void;
}

const nobody: PortsBefore = { release: () => Promise.resolve(), join: () => undefined };

export class PortForwarder {
  readonly #ways: HostForwards;
  readonly #check: (port: HostPort) => Promise<BindProblem | undefined>;
  readonly #before: PortsBefore;
  #last: Promise<unknown> = Promise.resolve();
  #held: readonly HostPort[] = [];

  constructor(
    ways: HostForwards,
    check: (port: HostPort) => Promise<BindProblem | undefined>,
    before: PortsBefore = nobody,
  ) {
    this.#ways = ways;
    this.#check = check;
    this.#before = before;
  }

  /** The ports that lead to the guest, as far as it asked for them here. Known also when the VM has gone. */
  get held(): readonly HostPort[] {
    return this.#held;
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
        return this.#add(message.port, await this.#ways.forwards());
      case 'remove': {
        const present = await this.#ways.forwards();
        // The same host port may meanwhile lead elsewhere: then it is not the one to be removed.
        if (present.some((forward) => isSameForward(forward, message.port))) {
          await this.#ways.removeForward(hostPart(message.port));
          this.#held = this.#held.filter((port) => !isSameHostPort(port, message.port));
        }
        return [];
      }
    }
  }

  async #sync(wanted: readonly WantedPort[]): Promise<readonly FailedPort[]> {
    const present = await this.#ways.forwards();
    const kept: PortForward[] = [];
    for (const forward of present) {
      if (wanted.some((port) => isSameForward(forward, port))) kept.push(forward);
      else await this.#ways.removeForward(forward);
    }
    this.#held = kept.map(hostPart);
    const failed: FailedPort[] = [];
    for (const port of wanted) failed.push(...(await this.#add(port, kept)));
    return failed;
  }

  async #add(port: WantedPort, present: readonly PortForward[]): Promise<readonly FailedPort[]> {
    if (present.some((forward) => isSameForward(forward, port))) return [];
    const other = present.find((forward) => isSameHostPort(forward, port));
    if (other !== undefined) return [{ port, reason: 'taken', message: 'by another container' }];
    await this.#before.release(hostPart(port));
    const problem = await this.#check(hostPart(port));
    if (problem !== undefined) return [{ port, ...problem }];
    try {
      await this.#ways.addForward({ ...hostPart(port), guestPort: port.guestPort });
      this.#held = [...this.#held, hostPart(port)];
      this.#before.join(hostPart(port));
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
