import type { Duplex } from 'node:stream';
import { execCreated } from '../../engine/api.ts';
import { EngineClient, segment } from '../../engine/client.ts';
import { Demultiplexer } from '../../engine/demultiplex.ts';
import type { SshSession } from '../../link/session.ts';
import { execExitCode } from '../../terminals/exec-exit.ts';
import { exitCodes, UsageError, type Command } from '../command.ts';
import { connectToWokenGuest } from '../guest.ts';
import { attachTerminal, isInteractive, terminalSize } from '../terminal.ts';

/** The best shell the container has. */
const bestShell = 'if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi';

export const ssh: Command = {
  name: 'ssh',
  usage: '[CONTAINER] [-- COMMAND …]',
  summary: 'Open a shell as root in the guest, or in a container',
  details: [
    'With a command it runs that. Ends with the exit code of what it ran.',
    'The toolbox (busybox) works in any container, also in one that holds no shell; nothing of it is put there.',
  ],
  flags: { toolbox: { type: 'boolean', help: "run the toolbox's programs, not the container's" } },
  async run(context, { flags, words, rest }) {
    if (words.length > 1) throw new UsageError('name at most one container; a command comes after --');
    const [container] = words;
    const toolbox = flags['toolbox'] === true;
    if (toolbox && container === undefined) throw new UsageError('name the container that the toolbox is for');
    const session = await connectToWokenGuest(context);
    try {
      if (container === undefined) return await guestShell(session, rest);
      return await containerShell(session, container, commandOf(rest, toolbox), toolbox);
    } finally {
      session.destroy('the shell has ended');
    }
  },
};

function commandOf(rest: readonly string[], toolbox: boolean): readonly string[] {
  if (rest.length > 0) return rest;
  return toolbox ? ['sh'] : ['sh', '-c', bestShell];
}

async function guestShell(session: SshSession, command: readonly string[]): Promise<number> {
  const interactive = isInteractive() && command.length === 0;
  const shell = await session.openShell({
    ...(command.length > 0 && { command: command.map(quoteForShell).join(' ') }),
    ...(interactive && { pty: { ...terminalSize(), term: process.env['TERM'] ?? 'xterm-256color' } }),
  });
  shell.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  await attachTerminal(shell.stdio, {
    raw: interactive,
    onOutput: (chunk) => process.stdout.write(chunk),
    onResize: ({ columns, rows }) => shell.resize(columns, rows),
  });
  return shell.exited;
}

async function containerShell(
  session: SshSession,
  container: string,
  command: readonly string[],
  toolbox: boolean,
): Promise<number> {
  const engine = new EngineClient({ connectEngine: (_purpose, signal) => session.openEngine(signal) });
  const attempt = `open a shell in ${container}`;
  const tty = isInteractive();
  const size = terminalSize();
  try {
    const { Id: id } = await engine.json(
      {
        attempt,
        method: 'POST',
        path: `/containers/${segment(container)}/exec`,
        body: {
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
          Tty: tty,
          Cmd: command,
          ...(toolbox && { WherryToolbox: true }),
          ...(tty && {
            ConsoleSize: [size.rows, size.columns],
            Env: [`TERM=${process.env['TERM'] ?? 'xterm-256color'}`],
          }),
        },
      },
      execCreated,
    );
    const stream: Duplex = await engine.hijack({
      attempt,
      method: 'POST',
      path: `/exec/${segment(id)}/start`,
      body: { Detach: false, Tty: tty },
    });
    await attachTerminal(stream, {
      raw: tty,
      onOutput: tty ? (chunk) => process.stdout.write(chunk) : splitOutput(),
      onResize: ({ columns, rows }) => {
        const query = { h: rows, w: columns };
        // The command may have ended in the same moment; its end is what counts then.
        engine.send({ attempt, method: 'POST', path: `/exec/${segment(id)}/resize`, query }).catch(() => undefined);
      },
    });
    return (await execExitCode(engine, id)) ?? exitCodes.failed;
  } finally {
    engine.close();
  }
}

/** Without a terminal both outputs come in one stream, each chunk with a head. */
function splitOutput(): (chunk: Buffer) => boolean {
  const split = new Demultiplexer();
  return (chunk) => {
    for (const part of split.push(chunk)) (part.stream === 'stderr' ? process.stderr : process.stdout).write(part.data);
    return true;
  };
}

/** One word for the guest's shell. */
export function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
