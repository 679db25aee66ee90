/** The fake host's networks: made, removed, joined and left, with the engine's refusals. */
import type { ContainerView } from '../../src-main/contract/engine.ts';
import { AppError } from '../../src-main/contract/errors.ts';
import type { NetworkView } from '../../src-main/contract/networks.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import type { Record, Source } from './handlers.ts';

type Calls = Pick<
  Handlers['calls'],
  'networks.create' | 'networks.remove' | 'networks.connect' | 'networks.disconnect'
>;

const runs = ({ state }: { readonly state: string }) => state === 'running' || state === 'paused';

export function fakeNetworkCalls(
  networks: Source<readonly NetworkView[]>,
  containers: Source<readonly ContainerView[]>,
  record: Record,
): Calls {
  const change = (id: string, next: (network: NetworkView) => NetworkView) =>
    networks.set(networks.current.map((network) => (network.id === id ? next(network) : network)));
  return {
    'networks.create': (input) =>
      record('networks.create', input, () => {
        const { name, internal, labels, gateway, ipv6 } = input;
        if (networks.current.some((network) => network.name === name)) {
          throw new AppError('conflict', `create ${name}: network with name ${name} already exists`);
        }
        const subnet = input.subnet || '172.30.0.0/16';
        if (networks.current.some(({ subnets }) => subnets.some((other) => other.subnet === subnet))) {
          throw new AppError(
            'engine',
            `create ${name}: invalid pool request: Pool overlaps with other one on this address space`,
          );
        }
        const id = 'ab'.repeat(32);
        const six = ipv6 ? [{ subnet: input.subnet6 || 'fd12:34::/64', gateway: 'fd12:34::1' }] : [];
        const made = { id, name, internal, ipv6, labels, driver: 'bridge', builtIn: false, createdAtMs: Date.now() };
        networks.set([
          ...networks.current,
          { ...made, subnets: [{ subnet, gateway }, ...six], options: {}, members: [] },
        ]);
        return { id };
      }),
    'networks.remove': (input) =>
      record('networks.remove', input, () => {
        const wanted = networks.current.filter(({ id }) => input.ids.includes(id));
        const kept = wanted.filter(({ members }) => members.some(runs));
        networks.set(networks.current.filter((network) => !wanted.includes(network) || kept.includes(network)));
        return {
          removed: input.ids.filter((id) => !kept.some((network) => network.id === id)),
          kept: kept.map(({ name }) => ({ name, reason: `remove ${name}: network ${name} has active endpoints` })),
        };
      }),
    'networks.connect': (input) =>
      record('networks.connect', input, () => {
        const container = containers.current.find(({ id }) => id === input.containerId);
        if (!container) throw new AppError('not-found', `connect to ${input.id}: no such container`);
        const { id, name, state } = container;
        const address = runs(container)
          ? { ipAddress: '172.20.0.9', ip6Address: '', macAddress: '02:42:ac:14:00:09' }
          : { ipAddress: '', ip6Address: '', macAddress: '' };
        change(input.id, (network) => ({
          ...network,
          members: [...network.members, { id, name, state, ...address, aliases: input.aliases }],
        }));
      }),
    'networks.disconnect': (input) =>
      record('networks.disconnect', input, () =>
        change(input.id, (network) => ({
          ...network,
          members: network.members.filter(({ id }) => id !== input.containerId),
        })),
      ),
  };
}
