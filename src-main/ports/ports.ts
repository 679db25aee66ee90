/** Published ports: for as long as a VM is ready, its forwards follow what the guest wants. */
import { GuestApi } from '../link/guest-api.ts';
import type { GuestLink } from '../services.ts';
import type { Machine } from '../vm/machine.ts';
import { checkBind } from './bind-check.ts';
import { keepPortsChannel } from './channel.ts';
import { PortForwarder } from './forwarder.ts';
import { LinkForwards, splitForwards } from './link-forwards.ts';

/** Begins with each VM that becomes ready, and ends with it. */
export function servePorts(machine: Machine, link: Pick<GuestLink, 'connectEngine' | 'connectPort'>): AsyncDisposable {
  let current: { readonly over: AbortController; readonly ended: Promise<void> } | undefined;
  const end = async (): Promise<void> => {
    const ending = current;
    current = undefined;
    ending?.over.abort();
    await ending?.ended;
  };
  const api = new GuestApi(link);
  const unsubscribe = machine.onReady((vm) => {
    void end();
    const over = new AbortController();
    const linkForwards = new LinkForwards((port, signal) => link.connectPort(port, signal));
    const forwarder = new PortForwarder(splitForwards(vm.monitorForwards, linkForwards), checkBind);
    const ended = keepPortsChannel(
      { open: (signal) => api.upgrade('/wherry/v1/ports', signal), handle: (message) => forwarder.handle(message) },
      over.signal,
    ).then(() => linkForwards[Symbol.asyncDispose]());
    current = { over, ended };
    void vm.exited.then(() => over.abort());
  });
  return {
    async [Symbol.asyncDispose]() {
      unsubscribe();
      await end();
    },
  };
}
