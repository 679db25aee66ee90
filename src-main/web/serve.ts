/** `wherry serve`: the host with its window in a browser, in the foreground until told to stop. */
import { once } from 'node:events';
import { createReconnectingClient, type ReconnectingClient } from '../contract/reconnecting-client.ts';
import { AppError } from '../contract/errors.ts';
import type { ShellFacts } from '../handlers/app.ts';
import type { HostAccess } from '../host-access.ts';
import { openBrowser } from './open-browser.ts';
import { startWebShell } from './web-shell.ts';

export interface ServeOptions {
  /** Disposed here when the serving ends. */
  readonly access: HostAccess;
  readonly shell: ShellFacts;
  /** Folder of the built window. */
  readonly folder: string;
  readonly port: number;
  /** Open the page in the platform's browser. */
  readonly open: boolean;
  /** Takes the ready line. */
  readonly print: (line: string) => void;
  /** Takes what a person should know besides. */
  readonly report: (line: string) => void;
  /** Aborted to end the serving. */
  readonly signal: AbortSignal;
}

/**
 * Prints `Wherry is ready: <url>` as soon as the page can be served; the VM starts meanwhile and the page shows how far
 * it is. Resolves when the signal aborted and everything is closed. Containers go on unless the setting says otherwise.
 */
export async function serveWindow(options: ServeOptions): Promise<void> {
  const { access, signal, report } = options;
  const client = createReconnectingClient((connecting) => access.connect(connecting));
  reportConnection(client, report);
  try {
    const shell = await startWebShell(options);
    try {
      options.print(`Wherry is ready: ${shell.url}`);
      client.call('vm.start', {}, signal).catch((error: unknown) => {
        if (!signal.aborted) report(describe(error));
      });
      const browser = options.open ? await openBrowser(shell.url) : undefined;
      if (browser?.started === false) report('No browser could be started; open the address above.');
      if (!signal.aborted) await once(signal, 'abort');
      await browser?.[Symbol.asyncDispose]();
    } finally {
      await shell[Symbol.asyncDispose]();
    }
    await endVmIfWanted(client, access, report);
  } finally {
    client.close();
    await access[Symbol.asyncDispose]();
  }
}

/** Why the host cannot be reached, once for each reason; that one owner gives way to another is no news. */
function reportConnection(client: ReconnectingClient, report: (line: string) => void): void {
  let last = '';
  client.onConnection((state) => {
    if (state.kind !== 'connecting' || !state.reason || state.reason.code === 'link-lost') return;
    if (state.reason.message !== last) report(describe(state.reason));
    last = state.reason.message;
  });
}

/** Only the owner ends what others may still use, and only where the user set it so. */
async function endVmIfWanted(
  client: ReconnectingClient,
  access: HostAccess,
  report: (line: string) => void,
): Promise<void> {
  if (access.role !== 'owner') return;
  const { onQuit } = await client.call('settings.get', {});
  if (onQuit === 'leave-running') return;
  report(onQuit === 'stop' ? 'Stopping the VM…' : 'Putting the VM to sleep…');
  await client.call(`vm.${onQuit}`, {}).catch((error: unknown) => report(describe(error)));
}

function describe(error: unknown): string {
  const hint = error instanceof AppError && error.hint !== undefined ? `\n  What to do: ${error.hint}` : '';
  return `${error instanceof Error ? error.message : String(error)}${hint}`;
}
