/** Composition root of the Electron shell: the window, the menus and the tray around the same host as every shell. */
import path from 'node:path';
import { app, dialog, ipcMain, Menu, protocol, safeStorage, session, shell } from 'electron';
import { createReconnectingClient } from '../contract/reconnecting-client.ts';
import { linkScheme, parseDeepLink, type DeepLink } from '../contract/deep-links.ts';
import { AppError } from '../contract/errors.ts';
import type { Settings, VmView } from '../contract/vm.ts';
import { shellCalls } from '../handlers/app.ts';
import { openHome } from '../open-home.ts';
import { guardContents, guardSession } from './hardening.ts';
import { serveWindows } from './ipc.ts';
import { keychainSealer } from './keychain.ts';
import { linkIn } from './link-arguments.ts';
import { MainWindow } from './main-window.ts';
import { applicationMenu, type MenuActions } from './menus.ts';
import { answerPage, pageOrigin, pageScheme, pageSchemeName } from './page-protocol.ts';
import { quitInOrder } from './quit.ts';
import { createTray } from './tray.ts';

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
    shell: { version: app.getVersion(), shell: 'electron', openExternal: (url) => shell.openExternal(url) },
  });
  const client = createReconnectingClient((signal) => home.access.connect(signal));
  let vm: VmView | undefined;
  let settings: Settings | undefined;
  client.subscribe('settings', (value) => (settings = value));

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
    stopVm: () => client.call('vm.stop', {}),
    close: async () => {
      windows[Symbol.dispose]();
      client.close();
      await home.access[Symbol.asyncDispose]();
    },
  });

  const window = new MainWindow({
    preload: path.join(here, 'preload.cjs'),
    devTools: !app.isPackaged,
    stateFile: path.join(app.getPath('userData'), 'window.json'),
    // Not every Linux desktop shows a tray, and then a hidden window could not be had back.
    hidesOnClose: () => process.platform !== 'linux' && !quit.isQuitting(),
  });
  // The page shows what became of it, with the remedy.
  const ask = (channel: 'vm.start' | 'vm.stop' | 'vm.restart') => void client.call(channel, {}).catch(() => undefined);
  const actions: MenuActions = {
    showWindow: () => window.show(),
    startVm: () => ask('vm.start'),
    stopVm: () => ask('vm.stop'),
    restartVm: () => ask('vm.restart'),
    openHome: () => void shell.openPath(home.paths.root),
    quit: () => app.quit(),
  };
  const tray = createTray(actions);
  const facts = { platform: process.platform, isPackaged: app.isPackaged };
  const showState = () => {
    Menu.setApplicationMenu(Menu.buildFromTemplate(applicationMenu({ ...facts, vm }, actions)));
    tray?.update(vm);
  };
  client.subscribe('vm', (view) => {
    const changed = view.state.kind !== vm?.state.kind || view.link !== vm.link;
    vm = view;
    if (changed) showState();
  });

  showState();
  // A checkout's Electron would be registered with the checkout's path, and outlive it.
  if (app.isPackaged) app.setAsDefaultProtocolClient(linkScheme.replace(':', ''));
  app.on('second-instance', (_event, args) => window.show(linkIn(args)));
  app.on('activate', () => window.show());
  app.on('window-all-closed', () => app.quit());
  follow = (link) => window.show(link);
  window.show(firstLink ?? linkIn(process.argv));
  ask('vm.start');
}
