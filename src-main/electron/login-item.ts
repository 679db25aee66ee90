/** Start at login, as each system keeps it: Electron's own on macOS and Windows, an XDG autostart file on Linux. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { App } from 'electron';
import { readIfThere, writeDurably } from '../durable-file.ts';

/** Given to the program at login: it starts without its window, where a tray brings the window back. */
export const hiddenArgument = '--hidden';

export interface LoginItemOptions {
  readonly app: Pick<App, 'getLoginItemSettings' | 'setLoginItemSettings'>;
  readonly platform: NodeJS.Platform;
  /** What is started: on Linux the AppImage, when it is one. */
  readonly program: string;
  /** `~/.config`, or what XDG_CONFIG_HOME says. */
  readonly configFolder: string;
}

/** XDG Base Directory Specification: a relative or empty value is not heeded. */
export function xdgConfigFolder(env: NodeJS.ProcessEnv, userHome: string): string {
  const chosen = env['XDG_CONFIG_HOME'];
  return chosen !== undefined && path.isAbsolute(chosen) ? chosen : path.join(userHome, '.config');
}

/** Makes it so, and leaves alone what is so already: whoever switched it off in the system's own settings keeps that. */
export async function applyStartAtLogin(wanted: boolean, options: LoginItemOptions): Promise<void> {
  if (options.platform === 'linux') {
    await applyAutostart(wanted, options);
    return;
  }
  const args = options.platform === 'win32' ? { args: [hiddenArgument] } : {};
  if (options.app.getLoginItemSettings(args).openAtLogin === wanted) return;
  options.app.setLoginItemSettings({ openAtLogin: wanted, ...args });
}

async function applyAutostart(wanted: boolean, { program, configFolder }: LoginItemOptions): Promise<void> {
  const folder = path.join(configFolder, 'autostart');
  const file = path.join(folder, 'wherry.desktop');
  if (!wanted) {
    await rm(file, { force: true });
    return;
  }
  const exec = `Exec=${quoteForDesktopEntry(program)} ${hiddenArgument}`;
  if ((await readIfThere(file))?.split('\n').includes(exec) === true) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lines = ['[Desktop Entry]', 'Type=Application', 'Name=Wherry', exec, 'Terminal=false'];
  await writeDurably(file, `${lines.join('\n')}\n`, 0o644);
}

/** Desktop Entry Specification: quoted for the Exec key, then as a string of the file. */
function quoteForDesktopEntry(program: string): string {
  const quoted = program.replace(/["`$\\]/g, '\\$&').replaceAll('%', '%%');
  return `"${quoted.replaceAll('\\', '\\\\')}"`;
}
