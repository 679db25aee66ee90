/** The one window: made when wanted, shown when its page is, remembered when it goes. */
import path from 'node:path';
import { BrowserWindow, screen } from 'electron';
import { writeDurably } from '../durable-file.ts';
import { hardenedPreferences } from './hardening.ts';
import { linkPath, type DeepLink } from '../contract/deep-links.ts';
import { pageUrl } from './page-protocol.ts';
import { placeWindow, readWindowState, smallestWindow, type WindowState } from './window-state.ts';

export interface MainWindowOptions {
  readonly preload: string;
  readonly devTools: boolean;
  /** Where its place is kept. */
  readonly stateFile: string;
  /** True: closing only hides it (the tray brings it back). */
  readonly hidesOnClose: () => boolean;
}

export class MainWindow {
  readonly #options: MainWindowOptions;
  #window: BrowserWindow | undefined;

  constructor(options: MainWindowOptions) {
    this.#options = options;
  }

  get isFocused(): boolean {
    return this.#window?.isFocused() ?? false;
  }

  /** @param link where in it to go */
  show(link?: DeepLink): void {
    const url = link === undefined ? pageUrl : `${pageUrl}#${linkPath(link)}`;
    const isNew = this.#window === undefined;
    const window = (this.#window ??= this.#create(url));
    // The page takes the fragment out, so that this is a change of the fragment only, and reloads nothing.
    if (!isNew && link !== undefined) void window.loadURL(url);
    if (window.isMinimized()) window.restore();
    // A window still being made shows itself when its page has been drawn.
    if (window.webContents.isLoading()) return;
    window.show();
    window.focus();
  }

  #create(url: string): BrowserWindow {
    const displays = [screen.getPrimaryDisplay(), ...screen.getAllDisplays()].map((display) => display.workArea);
    const { bounds, maximized } = placeWindow(readWindowState(this.#options.stateFile), displays);
    const window = new BrowserWindow({
      ...bounds,
      minWidth: smallestWindow.width,
      minHeight: smallestWindow.height,
      show: false,
      title: 'Wherry',
      backgroundColor: '#12333d',
      icon: path.join(__dirname, 'icon.png'),
      webPreferences: hardenedPreferences(this.#options.preload, this.#options.devTools),
    });
    window.once('ready-to-show', () => {
      if (maximized) window.maximize();
      window.show();
    });
    window.on('close', (event) => {
      this.#keepState(window);
      if (!this.#options.hidesOnClose()) return;
      event.preventDefault();
      window.hide();
    });
    window.on('closed', () => (this.#window = undefined));
    window.webContents.on('render-process-gone', (_event, details) => {
      if (details.reason !== 'clean-exit') window.webContents.reload();
    });
    void window.loadURL(url);
    return window;
  }

  #keepState(window: BrowserWindow): void {
    const state: WindowState = { ...window.getNormalBounds(), maximized: window.isMaximized() };
    // Losing it costs nothing but the window's place.
    writeDurably(this.#options.stateFile, JSON.stringify(state)).catch(() => undefined);
  }
}
