/** What the buttons and keys of containers do: the call, the busy mark meanwhile, and the result in words. */
import { create } from 'zustand';
import type { ContainerState, ContainerView } from '../../src-main/contract/engine.ts';
import { host } from '../bridge.ts';
import { formatCount } from '../format/quantities.ts';
import { visibleText } from '../format/unsafe-text.ts';
import { showError, showToast } from '../stores/toasts.ts';

export type ContainerVerb = 'start' | 'stop' | 'restart' | 'pause' | 'unpause' | 'kill' | 'remove';

/** Containers with an action under way, and which. */
export const useBusyContainers = create<{ readonly busy: ReadonlyMap<string, ContainerVerb> }>(() => ({
  busy: new Map(),
}));

const words: Readonly<Record<ContainerVerb, { readonly done: string; readonly doing: string; readonly to: string }>> = {
  start: { to: 'start', doing: 'Starting', done: 'Started' },
  stop: { to: 'stop', doing: 'Stopping', done: 'Stopped' },
  restart: { to: 'restart', doing: 'Restarting', done: 'Restarted' },
  pause: { to: 'pause', doing: 'Pausing', done: 'Paused' },
  unpause: { to: 'resume', doing: 'Resuming', done: 'Resumed' },
  kill: { to: 'kill', doing: 'Killing', done: 'Killed' },
  remove: { to: 'remove', doing: 'Removing', done: 'Removed' },
};

export function doingWord(verb: ContainerVerb): string {
  return words[verb].doing;
}

const allowed: Readonly<Record<ContainerVerb, readonly ContainerState[]>> = {
  start: ['created', 'exited', 'dead'],
  stop: ['running', 'paused', 'restarting'],
  restart: ['running', 'paused', 'exited'],
  pause: ['running'],
  unpause: ['paused'],
  kill: ['running', 'paused', 'restarting'],
  remove: ['created', 'running', 'paused', 'restarting', 'exited', 'dead'],
};

export function canDo(verb: ContainerVerb, state: ContainerState): boolean {
  return allowed[verb].includes(state);
}

/** Does it to each container that can take it, all at once; says how it went in one message. */
export async function actOnContainers(
  verb: Exclude<ContainerVerb, 'remove'>,
  containers: readonly ContainerView[],
): Promise<void> {
  const targets = containers.filter(({ state }) => canDo(verb, state));
  await runAll(verb, targets, (id) => host.call(`containers.${verb}`, { id }));
}

export async function removeContainers(containers: readonly ContainerView[], volumes: boolean): Promise<void> {
  await runAll('remove', containers, (id) => host.call('containers.remove', { id, force: true, volumes }));
}

async function runAll(
  verb: ContainerVerb,
  containers: readonly ContainerView[],
  run: (id: string) => Promise<void>,
): Promise<void> {
  const { busy } = useBusyContainers.getState();
  const targets = containers.filter(({ id }) => !busy.has(id));
  if (targets.length === 0) return;
  markBusy(targets, verb);
  const results = await Promise.allSettled(
    targets.map((container) => run(container.id).finally(() => markBusy([container], undefined))),
  );
  const failures = results.flatMap((result, index) => {
    const name = targets[index]?.name ?? '';
    return result.status === 'rejected' ? [{ name, error: result.reason as unknown }] : [];
  });
  for (const { name, error } of failures.slice(0, 3)) {
    showError(`Could not ${words[verb].to} ${visibleText(name, 60)}`, error);
  }
  const rest = failures.length - 3;
  if (rest > 0) showToast({ tone: 'bad', title: `Could not ${words[verb].to} ${formatCount(rest, 'more container')}` });
  const done = targets.length - failures.length;
  // One container's success shows in its row; many, or a removal, deserve a word.
  if (done > 1) showToast({ tone: 'good', title: `${words[verb].done} ${formatCount(done, 'container')}` });
  else if (done === 1 && verb === 'remove') {
    const index = results.findIndex(({ status }) => status === 'fulfilled');
    showToast({ tone: 'good', title: `Removed ${visibleText(targets[index]?.name ?? '', 60)}` });
  }
}

function markBusy(containers: readonly ContainerView[], verb: ContainerVerb | undefined): void {
  useBusyContainers.setState(({ busy }) => {
    const next = new Map(busy);
    for (const { id } of containers) {
      if (verb) next.set(id, verb);
      else next.delete(id);
    }
    return { busy: next };
  });
}
