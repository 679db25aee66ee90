/** `npm start -- --web --no-open --port 0` in a home of its own, as a new user would start it. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { WherryHome } from './wherry-cli.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const readyDeadlineMs = 240_000;

/** A running web shell; disposing ends it as Ctrl-C would. The VM stays: the home stops it. */
export class WebWindow implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(home: WherryHome): Promise<WebWindow> {
    const script = path.join(root, 'src-main/setup/start.mjs');
    const child = spawn(process.execPath, [script, '--web', '--no-open', '--port', '0'], {
      cwd: root,
      env: { ...process.env, ...home.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new WebWindow(child, await readyUrl(child));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGINT');
    await ended;
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const fail = (reason: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`npm start: ${reason}\n${printed}`));
    };
    const timer = setTimeout(() => {
      fail('no ready line');
    }, readyDeadlineMs);
    const read = (chunk: Buffer): void => {
      printed += chunk.toString('utf8');
      const url = /^Wherry is ready: (\S+)/m.exec(printed)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with ${String(code)} before it was ready`);
    });
  });
}
