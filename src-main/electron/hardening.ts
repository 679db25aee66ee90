/** What a page may do: show itself and copy text. Everything else is refused here, whatever the page tries. */
import type { App, Session, WebContents, WebPreferences } from 'electron';
import { externalUrl } from '../handlers/app.ts';
import { pageOrigin } from './page-protocol.ts';

export function hardenedPreferences(preload: string, devTools: boolean): WebPreferences {
  return {
    preload,
    devTools,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    safeDialogs: true,
    spellcheck: false,
  };
}

/** The part of a session that is used here. */
type GuardedSession = Pick<
  Session,
  'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'
> & {
  readonly webRequest: Pick<Session['webRequest'], 'onBeforeRequest'>;
};

export function guardSession(session: GuardedSession): void {
  session.setPermissionRequestHandler((_contents, permission, decide, details) => {
    decide(mayHave(permission, details.requestingUrl));
  });
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin) => mayHave(permission, requestingOrigin));
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, decide) => decide({ cancel: !isOwnResource(details.url) }));
}

/** The terminal copies its selection; pasting comes as an event of the user's and needs no permission. */
function mayHave(permission: string, url: string): boolean {
  return permission === 'clipboard-sanitized-write' && isOwnUrl(url);
}

function isOwnUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}` === pageOrigin;
}

/** Nothing is loaded from elsewhere; devtools have a scheme of their own, small images may be data. */
function isOwnResource(url: string): boolean {
  return isOwnUrl(url) || url.startsWith('devtools://') || url.startsWith('data:image/');
}

/** Guards every page ever made, not only those of windows made here. */
export function guardContents(app: Pick<App, 'on'>, openExternal: (url: string) => Promise<void>): void {
  app.on('web-contents-created', (_event, contents) => guardPage(contents, openExternal));
}

export function guardPage(
  contents: Pick<WebContents, 'on' | 'setWindowOpenHandler'>,
  openExternal: (url: string) => Promise<void>,
): void {
  const openOutside = (url: string) => {
    try {
      openExternal(externalUrl(url)).catch(() => undefined);
    } catch {
      // Not a web link: it leads nowhere.
    }
  };
  contents.setWindowOpenHandler(({ url }) => {
    openOutside(url);
    return { action: 'deny' };
  });
  contents.on('will-navigate', (details) => {
    // A reload of the page itself is the only navigation there is.
    if (isOwnUrl(details.url)) return;
    details.preventDefault();
    openOutside(details.url);
  });
  contents.on('will-redirect', (details) => details.preventDefault());
  contents.on('will-frame-navigate', (details) => {
    if (!details.isMainFrame) details.preventDefault();
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
}
