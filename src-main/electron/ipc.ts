/** The one IPC channel: frames between each window and the host. */
import type { IpcMain, IpcMainEvent, WebContents } from 'electron';
import type { ClientTransport } from '../contract/wire-client.ts';
import { relayWindow, type ShellCalls } from '../handlers/relay.ts';
import type { ServerTransport } from '../handlers/wire-server.ts';
import { frameChannel } from './frame-channel.ts';

interface Connection {
  deliver(frame: unknown): void;
  /** Ends it without telling the page, which has gone or begins anew. */
  drop(): void;
}

export interface IpcOptions {
  readonly ipc: Pick<IpcMain, 'on' | 'removeListener'>;
  /** The page's origin that may speak: the window's own. */
  readonly origin: string;
  readonly connect: (signal: AbortSignal) => Promise<ClientTransport>;
  readonly shellCalls: ShellCalls;
}

/**
 * Serves every window until disposed. A page opens its connection with `hello`, and anew after a reload; frames from
 * other origins or from frames within the page are ignored.
 */
export function serveWindows(options: IpcOptions): Disposable {
  const connections = new Map<WebContents, Connection>();
  const drop = (contents: WebContents) => {
    connections.get(contents)?.drop();
    connections.delete(contents);
  };
  const receive = (event: IpcMainEvent, frame: unknown) => {
    if (!isOwnPage(event, options.origin)) return;
    const contents = event.sender;
    if (isHello(frame)) {
      if (!connections.has(contents)) watch(contents, () => drop(contents));
      drop(contents);
      connections.set(contents, connectWindow(contents, options));
    }
    connections.get(contents)?.deliver(frame);
  };
  options.ipc.on(frameChannel, receive);
  return {
    [Symbol.dispose]: () => {
      options.ipc.removeListener(frameChannel, receive);
      for (const contents of [...connections.keys()]) drop(contents);
    },
  };
}

function isOwnPage(event: IpcMainEvent, origin: string): boolean {
  const frame = event.senderFrame;
  if (!frame || frame !== event.sender.mainFrame) return false;
  // A custom scheme's origin is opaque to URL, so scheme and host are compared.
  return URL.canParse(frame.url) && `${new URL(frame.url).protocol}//${new URL(frame.url).host}` === origin;
}

function isHello(frame: unknown): boolean {
  return typeof frame === 'object' && frame !== null && 't' in frame && frame.t === 'hello';
}

function watch(contents: WebContents, gone: () => void): void {
  contents.on('destroyed', gone);
  contents.on('render-process-gone', gone);
  contents.on('did-start-navigation', (details) => {
    if (details.isMainFrame && !details.isSameDocument) gone();
  });
}

function connectWindow(contents: WebContents, options: IpcOptions): Connection {
  let onFrame: ((frame: unknown) => void) | undefined;
  let onClose: (() => void) | undefined;
  let open = true;
  const end = () => {
    if (!open) return false;
    open = false;
    onClose?.();
    return true;
  };
  const send = (frame: unknown) => {
    if (!contents.isDestroyed()) contents.send(frameChannel, frame);
  };
  const transport: ServerTransport = {
    send: (frame) => {
      if (open) send(frame);
    },
    onFrame: (listener) => (onFrame = listener),
    onClose: (listener) => (onClose = listener),
    close: () => {
      if (end()) send(null);
    },
  };
  relayWindow(transport, options.connect, options.shellCalls);
  return {
    deliver: (frame) => {
      if (open) onFrame?.(frame);
    },
    drop: () => void end(),
  };
}
