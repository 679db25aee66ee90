/**
 * One terminal as the window holds it: an xterm that lives outside of React, so that changing tabs or screens neither
 * loses its text nor ends it. The host keeps the terminal itself; a reloaded window attaches again and gets the scrollback.
 */
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal, type ITerminalOptions } from '@xterm/xterm';
import type { HostStream, Streams } from '../../src-main/contract/channels.ts';
import { copyText, openLink } from '../actions/links.ts';
import { defaultTerminal, type TerminalSettings } from '../../src-main/contract/vm.ts';
import { errorText, followStream } from '../stores/follow-stream.ts';
import { useSettings } from '../stores/vm.ts';
import { readPalette } from './palette.ts';

export type SessionState =
  | { readonly kind: 'attaching' }
  | { readonly kind: 'open' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'ended'; readonly exitCode: number }
  | { readonly kind: 'failed'; readonly message: string };

const scrollbackLines = 10_000;

export class TerminalSession {
  readonly id: string;
  readonly element: HTMLDivElement;
  state: SessionState = { kind: 'attaching' };
  readonly #xterm: Terminal;
  readonly #fit = new FitAddon();
  readonly #search = new SearchAddon();
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #resizes: ResizeObserver;
  #stream: HostStream<'terminals.attach'> | undefined;
  #opened = false;

  constructor(id: string) {
    this.id = id;
    this.element = document.createElement('div');
    this.element.className = 'xterm-host';
    this.#xterm = new Terminal({
      allowProposedApi: true,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      lineHeight: 1.2,
      // Programs choose colours for a dark screen; on ours they must be readable too.
      minimumContrastRatio: 4.5,
      scrollback: scrollbackLines,
      ...lookOf(terminalSettings()),
      // Programs may not read or write the clipboard, nor move the window.
      windowOptions: {},
    });
    this.#xterm.loadAddon(this.#fit);
    this.#xterm.loadAddon(this.#search);
    this.#xterm.loadAddon(new Unicode11Addon());
    this.#xterm.loadAddon(new WebLinksAddon((_event, url) => void openLink(url)));
    this.#xterm.unicode.activeVersion = '11';
    this.#xterm.attachCustomKeyEventHandler((event) => this.#takesKey(event));
    this.#xterm.onData((data) => this.#stream?.send({ data }));
    this.#xterm.onResize(({ cols, rows }) => this.#stream?.send({ columns: cols, rows }));
    this.#resizes = new ResizeObserver(() => this.fit());
    void this.#follow();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Puts the terminal into the page. */
  mount(parent: HTMLElement): void {
    parent.append(this.element);
    parent.dataset['theme'] = terminalSettings().theme;
    if (!this.#opened) {
      this.#xterm.open(this.element);
      this.#opened = true;
    }
    this.#resizes.observe(this.element);
    this.fit();
  }

  /** Takes it out of the page; it goes on. */
  unmount(): void {
    this.#resizes.disconnect();
    this.element.remove();
  }

  focus(): void {
    this.#xterm.focus();
  }

  fit(): void {
    if (this.element.isConnected && this.element.clientWidth > 0) this.#fit.fit();
  }

  /** As the settings and the window's theme are now; what is in it stays. */
  restyle(): void {
    const settings = terminalSettings();
    Object.assign(this.#xterm.options, lookOf(settings));
    if (this.element.parentElement) this.element.parentElement.dataset['theme'] = settings.theme;
    this.fit();
  }

  find(text: string, direction: 'next' | 'previous'): boolean {
    const options = { decorations: { matchOverviewRuler: '#d9a441', activeMatchColorOverviewRuler: '#d9a441' } };
    if (text === '') {
      this.#search.clearDecorations();
      return false;
    }
    return direction === 'next' ? this.#search.findNext(text, options) : this.#search.findPrevious(text, options);
  }

  get selection(): string {
    return this.#xterm.getSelection();
  }

  copy(): void {
    if (this.selection !== '') void copyText(this.selection, 'the selection');
  }

  async paste(): Promise<void> {
    this.#xterm.paste(await navigator.clipboard.readText());
    this.focus();
  }

  dispose(): void {
    this.#abort.abort();
    this.#resizes.disconnect();
    this.element.remove();
    this.#xterm.dispose();
    this.#listeners.clear();
  }

  async #follow(): Promise<void> {
    try {
      await followStream('terminals.attach', {
        input: () => ({ id: this.id }),
        onOpen: (stream) => {
          // The scrollback comes first each time: start from an empty screen.
          this.#xterm.reset();
          this.#stream = stream;
          stream.send({ columns: this.#xterm.cols, rows: this.#xterm.rows });
          this.#change({ kind: 'open' });
        },
        onItem: (item) => this.#receive(item),
        onBreak: () => this.#change({ kind: 'broken' }),
        signal: this.#abort.signal,
      });
    } catch (error) {
      this.#change({ kind: 'failed', message: errorText(error) });
    } finally {
      this.#stream = undefined;
    }
  }

  /** Resolves when xterm has taken it in, so that a flood waits at the host and not in this page's memory. */
  #receive(item: Streams['terminals.attach']['item']): Promise<void> | undefined {
    if ('ended' in item) {
      this.#xterm.options.cursorBlink = false;
      this.#change({ kind: 'ended', exitCode: item.exitCode });
      return undefined;
    }
    return new Promise((resolve) => this.#xterm.write(item.data, resolve));
  }

  #change(state: SessionState): void {
    this.state = state;
    for (const listener of this.#listeners) listener();
  }

  /** False: not for the program in the terminal. */
  #takesKey(event: KeyboardEvent): boolean {
    if (!event.ctrlKey || !event.shiftKey) return true;
    if (event.code === 'KeyC') {
      if (event.type === 'keydown') this.copy();
      event.preventDefault();
      return false;
    }
    // The browser's own paste follows, and xterm takes that.
    return event.code !== 'KeyV' && event.code !== 'KeyF';
  }
}

const sessions = new Map<string, TerminalSession>();

/** The session of a terminal, made on first use. */
export function sessionOf(id: string): TerminalSession {
  let session = sessions.get(id);
  if (!session) {
    session = new TerminalSession(id);
    sessions.set(id, session);
  }
  return session;
}

export function dropSession(id: string): void {
  sessions.get(id)?.dispose();
  sessions.delete(id);
}

function restyleAll(): void {
  for (const session of sessions.values()) session.restyle();
}

function terminalSettings(): TerminalSettings {
  return useSettings.getState().value?.terminal ?? defaultTerminal;
}

function lookOf({ fontFamily, fontSize, theme }: TerminalSettings): ITerminalOptions {
  const own = getComputedStyle(document.documentElement).getPropertyValue('--mono');
  return { fontFamily: fontFamily === '' ? own : `${fontFamily}, ${own}`, fontSize, theme: readPalette(theme) };
}

// The theme changes by the system's setting or by ours.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', restyleAll);
new MutationObserver(restyleAll).observe(document.documentElement, { attributeFilter: ['data-theme'] });
useSettings.subscribe(({ value: now }, { value: before }) => {
  if (JSON.stringify(now?.terminal) !== JSON.stringify(before?.terminal)) restyleAll();
});
