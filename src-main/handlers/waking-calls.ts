/** What the windows ask of the engine, seen as use of the VM: it keeps a VM awake, and some of it wakes one that sleeps. */
import type { CallName } from '../contract/channels.ts';
import type { Handlers } from './handlers.ts';

const engineNouns = /^(images|volumes|networks|registries|containers|files|terminals)\./;

/** What a user does. The rest a window also asks by itself, to show what has changed: that must not wake a VM just put to sleep. */
const acting: ReadonlySet<CallName> = new Set<CallName>([
  ...(['images.remove', 'images.tag', 'images.pull', 'images.push', 'images.prune'] as const),
  ...(['volumes.create', 'volumes.remove', 'volumes.clone'] as const),
  ...(['networks.create', 'networks.remove', 'networks.connect', 'networks.disconnect'] as const),
  ...(['registries.login', 'registries.test', 'registries.search'] as const),
  ...(['containers.run', 'containers.start', 'containers.stop', 'containers.restart', 'containers.kill'] as const),
  ...(['containers.pause', 'containers.unpause', 'containers.edit', 'containers.acceptEdit'] as const),
  ...(['containers.rollBackEdit', 'containers.rename', 'containers.remove'] as const),
  ...(['files.write', 'terminals.open'] as const),
]);

export interface VmUse {
  /** The VM is used now. */
  readonly touch: () => void;
  /** Resolves when a VM that sleeps, or is about to, is ready; at once for any other. */
  readonly wake: (signal: AbortSignal) => Promise<void>;
}

export function wakingCalls(calls: Handlers['calls'], use: VmUse): Handlers['calls'] {
  const wrapped = Object.entries(calls).map(([name, handler]) => {
    if (!engineNouns.test(name)) return [name, handler];
    const call = handler as (input: unknown, signal: AbortSignal) => unknown;
    return [
      name,
      async (input: unknown, signal: AbortSignal) => {
        use.touch();
        if (acting.has(name as CallName)) await use.wake(signal);
        return call(input, signal);
      },
    ];
  });
  return Object.fromEntries(wrapped) as Handlers['calls'];
}
