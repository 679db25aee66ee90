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
      return 'VM: asleep';
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

export function canStop(view: VmView | undefined): boolean {
  return view?.state.kind === 'ready' || view?.state.kind === 'booting';
}
