import type { ContainerView } from '../../../src-main/contract/engine.ts';

export type StateFilter = 'all' | 'active' | 'stopped';

/** All words must be found, each in the name, image, id, command or a port. */
export function filterContainers(
  containers: readonly ContainerView[],
  query: string,
  state: StateFilter,
): readonly ContainerView[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return containers.filter((container) => {
    if (state !== 'all' && isUp(container) !== (state === 'active')) return false;
    if (words.length === 0) return true;
    const ports = container.ports.map(({ hostPort, containerPort }) => `${hostPort ?? ''}:${containerPort}`).join(' ');
    const text = `${container.name} ${container.image} ${container.id} ${container.command} ${ports}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function isUp({ state }: ContainerView): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}
