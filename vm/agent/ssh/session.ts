/** SSH sessions: a root shell or a command in the guest itself, with or without a terminal. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { PseudoTtyInfo, ServerChannel, Session } from 'ssh2';
import { errorText } from '../log.ts';

const baseEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/sh',
};

/** ssh2 types the window of `window-change` as its own; both have these. */
interface WindowSize {
  readonly cols: number;
  readonly rows: number;
}

/** Serves one session channel; `ptyProgram` is native/pty. */
export function handleSession(session: Session, ptyProgram: string): void {
  const environment: Record<string, string> = { ...baseEnvironment };
  let terminal: PseudoTtyInfo | undefined;
  let child: ChildProcess | undefined;

  session.on('env', (accept: (() => void) | undefined, _reject, info) => {
    if (/^(LANG|LC_[A-Z]+|TERM|COLORTERM|WHERRY_[A-Z_]+)$/.test(info.key)) environment[info.key] = info.val;
    accept?.();
  });
  session.on('pty', (accept: (() => void) | undefined, _reject, info) => {
    terminal = info;
    environment.TERM = info.term === '' ? 'xterm-256color' : info.term;
    accept?.();
  });
  session.on('window-change', (accept: (() => void) | undefined, _reject, info) => {
    resize(child, info);
    accept?.();
  });
  session.on('signal', (accept: (() => void) | undefined, _reject, info) => {
    signalGroup(child, `SIG${info.name}`);
    accept?.();
  });
  const start = (channel: ServerChannel, command: string | undefined): void => {
    const shell = command === undefined ? ['/bin/sh', '-l'] : ['/bin/sh', '-c', command];
    const argv =
      terminal === undefined ? shell : [ptyProgram, String(terminal.cols), String(terminal.rows), '--', ...shell];
    child = spawn(argv[0] ?? '', argv.slice(1), {
      cwd: '/',
      env: environment,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    join(channel, child);
  };
  session.on('exec', (accept, _reject, info) => start(accept(), info.command));
  session.on('shell', (accept) => start(accept(), undefined));
}

function join(channel: ServerChannel, child: ChildProcess): void {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('the session has no pipes');
  for (const stream of [stdin, stdout, stderr, child.stdio[3]]) stream?.on('error', () => undefined);
  channel.on('error', () => undefined);
  child.on('error', (error) => {
    channel.stderr.write(`wherry: ${errorText(error)}\r\n`);
    channel.exit(127);
    channel.end();
  });
  forward(channel, stdin);
  channel.on('end', () => stdin.end());
  forward(stdout, channel);
  forward(stderr, channel.stderr);
  child.on('close', (code, signal) => {
    channel.write(Buffer.alloc(0), () => {
      if (signal === null) channel.exit(code ?? 0);
      else channel.exit(signal.replace(/^SIG/, ''), false, '');
      channel.end();
    });
  });
  channel.on('close', () => signalGroup(child, 'SIGHUP'));
}

/** Copies with backpressure but does not end the target: a session's channel has two sources. */
function forward(source: Readable, target: Writable): void {
  source.on('data', (chunk: Buffer) => {
    if (target.write(chunk)) return;
    source.pause();
    target.once('drain', () => source.resume());
  });
}

function resize(child: ChildProcess | undefined, size: WindowSize): void {
  const control = child?.stdio[3] as Writable | null | undefined;
  if (control?.writable === true) control.write(`${size.cols} ${size.rows}\n`);
}

function signalGroup(child: ChildProcess | undefined, name: string): void {
  const signal = (constants.signals as Partial<Record<string, number>>)[name];
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null || signal === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has just ended.
  }
}
