/** Composition root of the Electron shell: the window, the menus and the tray around the same host as every shell. */
import os from 'node:os';
import path from 'node:path';
import { app, dialog, ipcMain, Menu, Notification, protocol, safeStorage, session, shell } from 'electron';
import { createReconnectingClient } from '../contract/reconnecting-client.ts';
import { linkScheme, parseDeepLink, type DeepLink } from '../contract/deep-links.ts';
import { AppError } from '../contract/errors.ts';
import type { ContainerView } from '../contract/engine.ts';
import type { Settings, VmView } from '../contract/vm.ts';
import { externalUrl, shellCalls } from '../handlers/app.ts';
import { openHome } from '../open-home.ts';
import { guardContents, guardSession } from './hardening.ts';
import { serveWindows } from './ipc.ts';
import { keychainSealer } from './keychain.ts';
import { linkIn } from './link-arguments.ts';
import { applyStartAtLogin, hiddenArgument, xdgConfigFolder, type LoginItemOptions } from './login-item.ts';
import { MainWindow } from './main-window.ts';
import { applicationMenu, type MenuActions } from './menus.ts';
import { Notifier, type NotificationText } from './notifications.ts';
import { answerPage, pageOrigin, pageScheme, pageSchemeName } from './page-protocol.ts';
import { plainText } from './plain-text.ts';
import { hidesOnClose, quitInOrder } from './quit.ts';
import { trayKey } from './tray-containers.ts';
import { createTray } from './tray.ts';
import { vmWords } from './vm-words.ts';

/** dist/electron, in a checkout and in the packaged app alike. */
const here = __dirname;
const pageFolder = path.join(here, '..', 'renderer');

protocol.registerSchemesAsPrivileged([pageScheme]);
app.enableSandbox();

if (app.requestSingleInstanceLock()) {
  main().catch((error: unknown) => {
    const hint = error instanceof AppError && error.hint !== undefined ? `\n\n${error.hint}` : '';
    dialog.showErrorBox('Wherry cannot start', `${error instanceof Error ? error.message : String(error)}${hint}`);
    app.exit(1);
  });
} else {
  // The other instance shows its window.
  app.exit(0);
}

async function main(): Promise<void> {
  guardContents(app, (url) => shell.openExternal(url));
  // macOS tells links by an event, the one that started the app before anything is ready.
  let firstLink: DeepLink | undefined;
  let follow = (link: DeepLink | undefined): void => {
    firstLink = link;
  };
  app.on('open-url', (event, url) => {
    event.preventDefault();
    follow(parseDeepLink(url));
  });
  const home = await openHome({
    imageRoot: app.isPackaged ? path.join(process.resourcesPath, 'guest') : path.join(here, '..', 'guest'),
    role: 'shell',
    sealer: keychainSealer(safeStorage),
    shell: {
      version: app.getVersion(),
      shell: 'electron',
      // A checkout's Electron would be started with nothing to show.
      canStartAtLogin: app.isPackaged,
      openExternal: (url) => shell.openExternal(url),
    },
  });
  const client = createReconnectingClient((signal) => home.access.connect(signal));
  let vm: VmView | undefined;
  let containers: readonly ContainerView[] = [];
  let settings: Settings | undefined;

  await app.whenReady();
  guardSession(session.defaultSession);
  protocol.handle(pageSchemeName, (request) => answerPage(pageFolder, request));
  const windows = serveWindows({
    ipc: ipcMain,
    origin: pageOrigin,
    connect: (signal) => home.access.connect(signal),
    shellCalls: shellCalls(home.shell),
  });
  const quit = quitInOrder({
    app,
    settings: () => settings,
    ownsVm: () => home.access.role === 'owner',
    endVm: (how) => client.call(`vm.${how}`, {}),
    close: async () => {
      notifier[Symbol.dispose]();
      windows[Symbol.dispose]();
      client.close();
      await home.access[Symbol.asyncDispose]();
    },
  });

  const window = new MainWindow({
    preload: path.join(here, 'preload.cjs'),
    devTools: !app.isPackaged,
    stateFile: path.join(app.getPath('userData'), 'window.json'),
    hidesOnClose: () =>
      hidesOnClose({
        onClose: settings?.desktop.onClose,
        platform: process.platform,
        hasTray: tray !== undefined,
        isQuitting: quit.isQuitting(),
      }),
  });
  // The page shows what became of it, with the remedy.
  const ask = (channel: 'vm.start' | 'vm.sleep' | 'vm.stop' | 'vm.restart') =>
    void client.call(channel, {}).catch(() => undefined);
  // From the tray there is no page that could: what went wrong is told where it is seen.
  const act = (channel: 'containers.start' | 'containers.stop', { id, name }: ContainerView) =>
    void client.call(channel, { id }).catch((error: unknown) => {
      const link: DeepLink = { noun: 'containers', name, tab: 'logs' };
      const body = plainText(error instanceof Error ? error.message : String(error), 300);
      showNotification({ title: `Wherry: ${plainText(name)}`, body, link }, (where) => window.show(where));
    });
  const actions: MenuActions = {
    showWindow: () => window.show(),
    startVm: () => ask('vm.start'),
    sleepVm: () => ask('vm.sleep'),
    stopVm: () => ask('vm.stop'),
    restartVm: () => ask('vm.restart'),
    openHome: () => void shell.openPath(home.paths.root),
    quit: () => app.quit(),
    openContainer: ({ name }, tab) => window.show({ noun: 'containers', name, tab }),
    openPort: (url) => void shell.openExternal(externalUrl(url)).catch(() => undefined),
    startContainer: (container) => act('containers.start', container),
    stopContainer: (container) => act('containers.stop', container),
  };
  const tray = createTray(actions);
  const notifier = new Notifier({
    client,
    isWanted: () => settings?.desktop.notifications === true && Notification.isSupported() && !window.isFocused,
    show: (text) => showNotification(text, (link) => window.show(link)),
  });
  const facts = { platform: process.platform, isPackaged: app.isPackaged };
  const showState = () => {
    Menu.setApplicationMenu(Menu.buildFromTemplate(applicationMenu({ ...facts, vm }, actions)));
    tray?.update(vm, containers);
  };
  client.subscribe('vm', (view) => {
    const changed = vmWords(view) !== vmWords(vm) || view.state.kind !== vm?.state.kind;
    vm = view;
    if (changed) showState();
  });

  client.subscribe('containers', (views) => {
    const changed = trayKey(views) !== trayKey(containers);
    containers = views;
    if (changed) tray?.update(vm, containers);
  });
  client.subscribe('settings', (value) => {
    const changed = value.desktop.startAtLogin !== settings?.desktop.startAtLogin;
    settings = value;
    if (changed && app.isPackaged) startAtLogin(value.desktop.startAtLogin);
  });

  showState();
  // A checkout's Electron would be registered with the checkout's path, and outlive it.
  if (app.isPackaged) app.setAsDefaultProtocolClient(linkScheme.replace(':', ''));
  app.on('second-instance', (_event, args) => window.show(linkIn(args)));
  app.on('activate', () => window.show());
  app.on('window-all-closed', () => app.quit());
  follow = (link) => window.show(link);
  // Started at login it waits in the tray, unless there is none to wait in.
  if (tray === undefined || !process.argv.includes(hiddenArgument)) window.show(firstLink ?? linkIn(process.argv));
  ask('vm.start');
}

/** Held, or the collector takes them, and with them their clicks. */
const shownNotifications = new Set<Notification>();

function showNotification({ title, body, link }: NotificationText, follow: (link: DeepLink) => void): void {
  const notification = new Notification({ title, body });
  shownNotifications.add(notification);
  notification.on('click', () => follow(link));
  notification.on('close', () => shownNotifications.delete(notification));
  notification.show();
}

function startAtLogin(wanted: boolean): void {
  const options: LoginItemOptions = {
    app,
    platform: process.platform,
    program: process.env['APPIMAGE'] ?? process.execPath,
    configFolder: xdgConfigFolder(process.env, os.homedir()),
  };
  applyStartAtLogin(wanted, options).catch((error: unknown) => {
    dialog.showErrorBox('Wherry', `Start at login could not be changed: ${String(error)}`);
  });
}
