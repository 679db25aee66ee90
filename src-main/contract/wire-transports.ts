/** The two transports a window can have: the web shell's WebSocket and Electron's preload bridge. Browser-safe. */
import { AppError } from './errors.ts';
import type { ClientFrame, ServerFrame } from './wire.ts';
import type { ClientTransport } from './wire-client.ts';

/** The part of the standard WebSocket (and of `ws`) that is used here. */
export interface WebSocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

/** Close code of a connection whose secret was wrong. */
export const wrongSecretCode = 4401;

const openState = 1;

/**
 * Waits for a just-made WebSocket to open, sends the secret as the first message, and is ready when the server has
 * answered with its first frame. Rejects with `invalid-input` when the secret is wrong.
 */
export function openWebSocket(socket: WebSocketLike, secret: string, signal?: AbortSignal): Promise<ClientTransport> {
  return new Promise((resolve, reject) => {
    let onFrame: ((frame: ServerFrame) => void) | undefined;
    let onClose: ((reason?: Error) => void) | undefined;
    let closed: { readonly reason: Error } | undefined;
    const early: ServerFrame[] = [];
    const transport: ClientTransport = {
      send: (frame) => {
        if (socket.readyState === openState) socket.send(JSON.stringify(frame));
      },
      onFrame: (listener) => {
        onFrame = listener;
        for (const frame of early.splice(0)) listener(frame);
      },
      onClose: (listener) => {
        onClose = listener;
        if (closed) listener(closed.reason);
      },
      close: () => socket.close(1000),
    };
    const abort = () => socket.close(1000);
    signal?.addEventListener('abort', abort, { once: true });
    socket.addEventListener('open', () => socket.send(JSON.stringify({ secret })));
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as ServerFrame;
      if (onFrame) onFrame(frame);
      else early.push(frame);
      resolve(transport);
    });
    // A close event always follows, with the code.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', ({ code, reason }) => {
      signal?.removeEventListener('abort', abort);
      closed = { reason: closeReason(code, reason) };
      reject(closed.reason);
      onClose?.(closed.reason);
    });
  });
}

function closeReason(code: number, reason: string): AppError {
  if (code === wrongSecretCode) {
    return new AppError('invalid-input', 'open the window: the address does not carry this run’s secret', {
      hint: 'Open the whole address that Wherry printed, including the part after #.',
    });
  }
  return new AppError('link-lost', `the connection to Wherry was lost${reason ? `: ${reason}` : ''}`);
}

/** What Electron's preload script exposes as `window.wherry`, and nothing else. */
export interface PreloadBridge {
  readonly platform: string;
  post(frame: ClientFrame): void;
  /** Takes one listener, the newest. `null` says that the connection is over; the next `hello` opens another. */
  onFrame(listener: (frame: ServerFrame | null) => void): void;
}

export function bridgeTransport(bridge: PreloadBridge): ClientTransport {
  let open = true;
  let onClose: ((reason?: Error) => void) | undefined;
  return {
    send: (frame) => {
      if (open) bridge.post(frame);
    },
    onFrame: (listener) =>
      bridge.onFrame((frame) => {
        if (!open) return;
        if (frame !== null) {
          listener(frame);
          return;
        }
        open = false;
        onClose?.(new AppError('link-lost', 'the connection to Wherry was lost'));
      }),
    onClose: (listener) => (onClose = listener),
    close: () => (open = false),
  };
}
