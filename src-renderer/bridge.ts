/**
 * The window's one way to the host: Electron's preload bridge when there is one, else the web shell's WebSocket.
 * Nothing else in the renderer reads `window.wherry`, the address's fragment or the secret.
 */
import { AppError } from '../src-main/contract/errors.ts';
import { createReconnectingClient, type ReconnectingClient } from '../src-main/contract/reconnecting-client.ts';
import type { ClientTransport } from '../src-main/contract/wire-client.ts';
import { bridgeTransport, openWebSocket, type PreloadBridge } from '../src-main/contract/wire-transports.ts';

const secretKey = 'wherry.secret';

const preload = (globalThis as { readonly wherry?: PreloadBridge }).wherry;

/** Connected from the first import on; it reconnects by itself. */
export const host: ReconnectingClient = createReconnectingClient(
  preload ? connectPreload(preload) : connectWebSocket(),
);

function connectPreload(bridge: PreloadBridge): () => Promise<ClientTransport> {
  return () => Promise.resolve(bridgeTransport(bridge));
}

function connectWebSocket(): (signal: AbortSignal) => Promise<ClientTransport> {
  const secret = takeSecret();
  const url = new URL('/wire', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return (signal) => {
    if (secret === '') {
      return Promise.reject(
        new AppError('invalid-input', 'open the window: this address does not carry the secret of this run', {
          hint: 'Open the whole address that Wherry printed, including the part after #.',
        }),
      );
    }
    return openWebSocket(new WebSocket(url), secret, signal);
  };
}

/**
 * The secret leaves the address bar (and so bookmarks and screen shares) but survives a reload of this tab. A link after
 * it (`#secret/containers/web`) stays for {@link takeAddressLink}.
 */
function takeSecret(): string {
  const [, text = '', link = ''] = /^#?([^/]*)(.*)$/s.exec(location.hash) ?? [];
  const fromHash = decodeURIComponent(text);
  if (fromHash === '') return sessionStorage.getItem(secretKey) ?? '';
  sessionStorage.setItem(secretKey, fromHash);
  history.replaceState(history.state, '', location.pathname + location.search + (link === '' ? '' : `#${link}`));
  return fromHash;
}

/** The path after the address's #, which is taken out of it, so that the same link once more is a change again. */
export function takeAddressLink(): string {
  const path = location.hash.slice(1);
  if (!path.startsWith('/')) return '';
  history.replaceState(history.state, '', location.pathname + location.search);
  return path;
}
