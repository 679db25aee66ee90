/**
 * Opens a page with the platform's own command.
 *
 * The page's address holds the secret of this run, and a program's arguments can be read by every user of the machine. So the
 * command is given a file that only this user can read, which leads the browser on. The file lies openly in the user's
 * home: browsers packaged as snaps read neither hidden folders nor the temporary one.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Time for the browser to start and read the file. */
const fileLifeMs = 60_000;

/** The program and arguments that open this file. The path is one argument and never meets a shell. */
export function openCommand(
  file: string,
  platform: NodeJS.Platform = process.platform,
): readonly [string, ...string[]] {
  switch (platform) {
    case 'darwin':
      return ['open', file];
    case 'win32':
      // explorer and start would interpret parts of a name; this takes it as it is.
      return ['rundll32.exe', 'url.dll,FileProtocolHandler', file];
    default:
      return ['xdg-open', file];
  }
}

/** A page that leads on to this address; it stays in no history. */
export function leadingPage(url: string): string {
  const safe = url.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return [
    '<!doctype html>',
    '<meta charset="utf-8">',
    `<meta http-equiv="refresh" content="0; url=${safe}">`,
    '<title>Wherry</title>',
    `<p><a href="${safe}">Open Wherry</a></p>`,
    '',
  ].join('\n');
}

export interface OpenedBrowser extends AsyncDisposable {
  /** Whether a browser was started; the caller prints the address in any case. */
  readonly started: boolean;
}

/** Disposing it removes the file, if a minute has not done so already. */
export async function openBrowser(
  url: string,
  folder = os.homedir(),
  command: (file: string) => readonly [string, ...string[]] = openCommand,
): Promise<OpenedBrowser> {
  const file = path.join(folder, `wherry-${randomBytes(6).toString('hex')}.html`);
  const remove = () => rm(file, { force: true });
  try {
    await writeFile(file, leadingPage(url), { mode: 0o600, flag: 'wx' });
  } catch {
    // No home to write to: the printed address is the way then.
    return { started: false, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const timer = setTimeout(() => void remove().catch(() => undefined), fileLifeMs);
  timer.unref();
  const started = await start(command(file));
  return {
    started,
    [Symbol.asyncDispose]: () => {
      clearTimeout(timer);
      return remove();
    },
  };
}

function start([program, ...args]: readonly [string, ...string[]]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
