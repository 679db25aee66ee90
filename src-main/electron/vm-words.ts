/** The VM's state in the few words that menus and the tray have room for. */
import type { ContainerView } from '../contract/engine.ts';
import type { VmView } from '../contract/vm.ts';
import { isUp } from './tray-containers.ts';

export function vmWords(view: VmView | undefined): string {
  if (!view) return 'Wherry: connecting';
  const { state } = view;
  switch (state.kind) {
    case 'absent':
      return 'VM: stopped';
    case 'booting':
      return 'VM: starting';
    case 'ready':
      return view.link === 'up' ? 'VM: running' : 'VM: running, reconnecting';
    case 'sleeping':
      return state.step === 'saving' ? 'VM: falling asleep' : 'VM: asleep';
    case 'resuming':
      return 'VM: waking up';
    case 'stopping':
      return 'VM: stopping';
    case 'failed':
      return 'VM: failed';
  }
}

/** At a glance: `VM: running, 3 containers`. */
export function trayWords(view: VmView | undefined, containers: readonly ContainerView[]): string {
  const running = containers.filter(isUp).length;
  if (view?.state.kind !== 'ready' || running === 0) return vmWords(view);
  return `${vmWords(view)}, ${running === 1 ? '1 container' : `${running} containers`}`;
}

export function canStart(view: VmView | undefined): boolean {
  return view?.state.kind === 'absent' || view?.state.kind === 'failed' || view?.state.kind === 'sleeping';
}

export function canSleep(view: VmView | undefined): boolean {
  return view?.state.kind === 'ready';
}

export function startWords(view: VmView | undefined): string {
  return view?.state.kind === 'sleeping' ? 'Wake VM' : 'Start VM';
}

export function canStop(view: VmView | undefined): boolean {
  const kind = view?.state.kind;
  return kind === 'ready' || kind === 'booting' || kind === 'sleeping' || kind === 'resuming';
}
