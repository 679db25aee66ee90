/** The icon by the clock: what the VM does, its containers, and the way back to the window. */
import path from 'node:path';
import { Menu, nativeImage, Tray } from 'electron';
import type { ContainerView } from '../contract/engine.ts';
import type { VmView } from '../contract/vm.ts';
import { trayMenu, type MenuActions } from './menus.ts';
import { trayWords } from './vm-words.ts';

export interface WherryTray {
  update(vm: VmView | undefined, containers: readonly ContainerView[]): void;
}

/** Undefined where the desktop has no place for it; the window then quits when it is closed. */
export function createTray(actions: MenuActions): WherryTray | undefined {
  // The macOS menu bar tints images that end in Template.
  const name = process.platform === 'darwin' ? 'trayTemplate.png' : 'tray.png';
  let tray: Tray;
  try {
    tray = new Tray(nativeImage.createFromPath(path.join(__dirname, name)));
  } catch {
    return undefined;
  }
  tray.on('click', actions.showWindow);
  return {
    update: (vm, containers) => {
      tray.setToolTip(trayWords(vm, containers));
      tray.setContextMenu(Menu.buildFromTemplate(trayMenu(vm, containers, actions)));
    },
  };
}
