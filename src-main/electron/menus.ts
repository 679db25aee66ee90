/** The application menu and the tray's menu, as data. */
import type { MenuItemConstructorOptions } from 'electron';
import type { ContainerView } from '../contract/engine.ts';
import type { VmView } from '../contract/vm.ts';
import { containerItems, type ContainerActions } from './tray-containers.ts';
import { canSleep, canStart, canStop, startWords, vmWords } from './vm-words.ts';

export interface MenuActions extends ContainerActions {
  readonly showWindow: () => void;
  readonly startVm: () => void;
  readonly sleepVm: () => void;
  readonly stopVm: () => void;
  readonly restartVm: () => void;
  readonly openHome: () => void;
  readonly quit: () => void;
}

export interface MenuFacts {
  readonly platform: NodeJS.Platform;
  /** Developer tools are for checkouts only. */
  readonly isPackaged: boolean;
  readonly vm: VmView | undefined;
}

const separator: MenuItemConstructorOptions = { type: 'separator' };

export function applicationMenu(facts: MenuFacts, actions: MenuActions): MenuItemConstructorOptions[] {
  const isMac = facts.platform === 'darwin';
  const quit: MenuItemConstructorOptions = {
    label: isMac ? 'Quit Wherry' : 'Quit',
    accelerator: 'CmdOrCtrl+Q',
    click: actions.quit,
  };
  const own: MenuItemConstructorOptions = {
    label: 'Wherry',
    submenu: [
      { role: 'about' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      quit,
    ],
  };
  const file: MenuItemConstructorOptions = {
    label: '&File',
    submenu: [
      { label: 'Open Data Folder', click: actions.openHome },
      separator,
      { role: 'close', accelerator: 'CmdOrCtrl+Shift+W' },
      ...(isMac ? [] : [separator, quit]),
    ],
  };
  return [
    ...(isMac ? [own] : []),
    file,
    { role: 'editMenu' },
    { label: '&View', submenu: viewItems(facts.isPackaged) },
    { label: 'V&M', submenu: vmItems(facts.vm, actions) },
    { role: 'windowMenu' },
    ...(isMac ? [] : [{ label: '&Help', submenu: [{ role: 'about' } as const] }]),
  ];
}

function viewItems(isPackaged: boolean): MenuItemConstructorOptions[] {
  const zoom: MenuItemConstructorOptions[] = [{ role: 'resetZoom' }, { role: 'zoomIn' }, { role: 'zoomOut' }];
  const developer: MenuItemConstructorOptions[] = [separator, { role: 'reload' }, { role: 'toggleDevTools' }];
  return [...zoom, separator, { role: 'togglefullscreen' }, ...(isPackaged ? [] : developer)];
}

function vmItems(vm: VmView | undefined, actions: MenuActions): MenuItemConstructorOptions[] {
  return [
    { label: vmWords(vm), enabled: false },
    separator,
    { label: startWords(vm), enabled: canStart(vm), click: actions.startVm },
    { label: 'Restart VM', enabled: vm?.state.kind === 'ready', click: actions.restartVm },
    { label: 'Put VM to Sleep', enabled: canSleep(vm), click: actions.sleepVm },
    { label: 'Stop VM', enabled: canStop(vm), click: actions.stopVm },
  ];
}

/** @param containers those known of; shown only while the engine can do something to them */
export function trayMenu(
  vm: VmView | undefined,
  containers: readonly ContainerView[],
  actions: MenuActions,
): MenuItemConstructorOptions[] {
  const isUsable = vm?.state.kind === 'ready' && vm.link === 'up';
  return [
    { label: vmWords(vm), enabled: false },
    separator,
    { label: 'Open Wherry', click: actions.showWindow },
    separator,
    ...(isUsable ? [...containerItems(containers, actions), separator] : []),
    { label: startWords(vm), visible: !canStop(vm) || canStart(vm), enabled: canStart(vm), click: actions.startVm },
    { label: 'Put VM to Sleep', visible: canSleep(vm), click: actions.sleepVm },
    { label: 'Stop VM', visible: canStop(vm), click: actions.stopVm },
    separator,
    { label: 'Quit', click: actions.quit },
  ];
}
