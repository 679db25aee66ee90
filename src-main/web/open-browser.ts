/** Opens a page with the platform's own command. */
import { spawn } from 'node:child_process';

/** The program and arguments that open this URL. The URL is one argument and never meets a shell. */
export function openCommand(url: string, platform: NodeJS.Platform = process.platform): readonly [string, ...string[]] {
  switch (platform) {
    case 'darwin':
      return ['open', url];
    case 'win32':
      // explorer and start would cut or interpret parts of a URL; this takes it as it is.
      return ['rundll32.exe', 'url.dll,FileProtocolHandler', url];
    default:
      return ['xdg-open', url];
  }
}

/** Resolves to whether a browser was started; the caller prints the address in any case. */
export function openBrowser(url: string): Promise<boolean> {
  const [command, ...args] = openCommand(url);
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
