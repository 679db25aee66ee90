/** Editing a container, and what comes after: keeping the new one or going back to the old. */
import { create } from 'zustand';
import type { ContainerEdit, ContainerView } from '../../src-main/contract/engine.ts';
import { host } from '../bridge.ts';
import { visibleText } from '../format/unsafe-text.ts';
import { navigate, useRoute } from '../stores/navigation.ts';
import { useContainers } from '../stores/objects.ts';
import { showError, showToast } from '../stores/toasts.ts';

/** Names, on the new container, the old one that is kept for it. */
const replacesLabel = 'wherry.replaces';

/** The edited containers whose old one is being removed or put back. */
export const useSettling = create<{ readonly ids: ReadonlySet<string> }>(() => ({ ids: new Set() }));

/** The container kept from before this one's edit, while there is one. */
export function keptFor(container: ContainerView, all: readonly ContainerView[]): ContainerView | undefined {
  const id = container.labels[replacesLabel];
  return id === undefined ? undefined : all.find((other) => other.id === id);
}

/** Rejects with what went wrong; by then the container is as it was before. */
export async function editContainer({ id, name }: { id: string; name: string }, edit: ContainerEdit): Promise<void> {
  const result = await host.call('containers.edit', { id, edit });
  for (const warning of result.warnings) showToast({ tone: 'info', title: visibleText(warning) });
  showToast({ tone: 'good', title: `Changed ${visibleText(name, 60)}` });
  if (result.recreated) await follow(id, result.id);
}

export async function settleEdit(container: ContainerView, way: 'keep' | 'back'): Promise<void> {
  const { id } = container;
  const name = visibleText(container.name, 60);
  mark(id, true);
  try {
    if (way === 'keep') {
      await host.call('containers.acceptEdit', { id });
      showToast({ tone: 'good', title: `Kept the edited ${name}` });
    } else {
      const old = await host.call('containers.rollBackEdit', { id });
      showToast({ tone: 'good', title: `Put back ${name} as it was` });
      await follow(id, old.id);
    }
  } catch (error) {
    showError(way === 'keep' ? `Could not remove the old ${name}` : `Could not put back ${name}`, error);
  } finally {
    mark(id, false);
  }
}

/** A page of the one becomes the page of the other, once the list has it: before, it would say that it is gone. */
async function follow(from: string, to: string): Promise<void> {
  await untilListed(to);
  const { route } = useRoute.getState();
  if (route.screen === 'container' && route.id === from) navigate({ ...route, id: to }, { replace: true });
}

const listedMs = 5000;

function untilListed(id: string): Promise<void> {
  const isListed = () => useContainers.getState().value?.some((container) => container.id === id) === true;
  if (isListed()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const stop = useContainers.subscribe(() => isListed() && done());
    // Somebody may have removed it meanwhile.
    const timer = setTimeout(done, listedMs);
  });
}

function mark(id: string, settling: boolean): void {
  useSettling.setState(({ ids }) => {
    const next = new Set(ids);
    if (settling) next.add(id);
    else next.delete(id);
    return { ids: next };
  });
}
