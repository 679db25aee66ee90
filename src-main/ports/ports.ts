/**
 * Published ports: for as long as a VM is ready, its forwards follow what the guest wants; while it sleeps, who connects to one of
 * them wakes it.
 */
import { z } from 'zod';
import type { VmState } from '../contract/vm.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';
import { GuestApi } from '../link/guest-api.ts';
import type { GuestLink } from '../services.ts';
import type { HostPort } from '../vm/backend.ts';
import type { Machine } from '../vm/machine.ts';
import { checkBind } from './bind-check.ts';
import { keepPortsChannel } from './channel.ts';
import { PortForwarder } from './forwarder.ts';
import { LinkForwards, splitForwards } from './link-forwards.ts';
import { WakingPorts } from './waking-ports.ts';

export interface PortsOptions {
  readonly machine: Pick<Machine, 'view' | 'onChange' | 'onReady'>;
  readonly link: Pick<GuestLink, 'connectEngine' | 'connectPort'>;
  /** Where the ports of a VM that sleeps are remembered for the next process. */
  readonly file: string;
  /** Resolves when the VM is ready, waking it if need be. */
  readonly wake: (signal: AbortSignal) => Promise<void>;
}

const rememberedSchema = z.array(
  z.object({ protocol: z.enum(['tcp', 'udp']), hostIp: z.union([z.ipv4(), z.ipv6()]), hostPort: z.int() }),
);

/** Begins with each VM that becomes ready, and ends with it. */
export function servePorts({ machine, link, file, wake }: PortsOptions): AsyncDisposable {
  const disposed = new AbortController();
  const waking = new WakingPorts(() => wake(disposed.signal));
  const api = new GuestApi(link);
  let current: { readonly over: AbortController; readonly ended: Promise<void> } | undefined;
  /** What led to the guest when it was last heard of; undefined: never by this process. */
  let known: readonly HostPort[] | undefined;
  const end = async (): Promise<void> => {
    const ending = current;
    current = undefined;
    ending?.over.abort();
    await ending?.ended;
  };
  const follow = async (state: VmState): Promise<void> => {
    if (state.kind === 'absent' || state.kind === 'stopping' || state.kind === 'failed') await waking.drop();
    if (!isAsleep(state)) return;
    // Those that this process has listened for itself are free then.
    await end();
    const ports = known ?? (await remembered(file));
    // Meanwhile somebody may have woken it, and the ports are the VM's again.
    if (!isAsleep(machine.view.state)) return;
    await waking.hold(ports);
    // Not to be had (the disk is full): only a process that comes after this one will not know them.
    if (known !== undefined) await writeDurably(file, `${JSON.stringify(ports)}\n`).catch(() => undefined);
  };
  let followed: VmState | undefined;
  let following: Promise<void> = Promise.resolve();
  const look = ({ state }: Machine['view']): void => {
    if (state === followed) return;
    followed = state;
    following = following.then(() => follow(state));
  };

  const unsubscribe = [
    machine.onReady((vm) => {
      void end();
      const over = new AbortController();
      const linkForwards = new LinkForwards((port, signal) => link.connectPort(port, signal));
      const ways = splitForwards(vm.monitorForwards, linkForwards);
      const forwarder = new PortForwarder(ways, checkBind, waking);
      const ended = keepPortsChannel(
        {
          open: (signal) => api.upgrade('/wherry/v1/ports', signal),
          async handle(message) {
            const failed = await forwarder.handle(message);
            known = forwarder.held;
            // What the guest has not asked for, its containers have no use for any more.
            if (message.kind === 'sync') await waking.drop();
            return failed;
          },
        },
        over.signal,
      ).then(() => linkForwards[Symbol.asyncDispose]());
      current = { over, ended };
      void vm.exited.then(() => over.abort());
    }),
    machine.onChange(look),
  ];
  look(machine.view);
  return {
    async [Symbol.asyncDispose]() {
      for (const stop of unsubscribe) stop();
      disposed.abort();
      await end();
      await following;
      await waking[Symbol.asyncDispose]();
    },
  };
}

function isAsleep(state: VmState): boolean {
  return state.kind === 'sleeping' && state.step === 'saved';
}

async function remembered(file: string): Promise<readonly HostPort[]> {
  try {
    return rememberedSchema.parse(JSON.parse((await readIfThere(file)) ?? '[]'));
  } catch {
    // Damaged: the VM sleeps on, and a docker command wakes it as ever.
    return [];
  }
}
