/** A monitor that answers as scripted, over a real unix socket. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface QmpCommand {
  readonly execute: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly id: number;
}

/** What goes back for a command, or a promise of it; undefined: no answer at all. */
export type QmpAnswer = (command: QmpCommand) => unknown;

export interface FakeQmp extends AsyncDisposable {
  readonly path: string;
  readonly commands: readonly QmpCommand[];
  /** Sends raw text to every client. */
  send(text: string): void;
  /** Cuts every client. */
  cut(): void;
}

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}\r\n';

export async function startFakeQmp(answer: QmpAnswer, first = greeting): Promise<FakeQmp> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-qmp-'));
  const file = path.join(folder, 'qmp.sock');
  const sockets = new Set<net.Socket>();
  const commands: QmpCommand[] = [];
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.write(first);
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const command = JSON.parse(line) as QmpCommand;
        commands.push(command);
        const reply = command.execute === 'qmp_capabilities' ? { return: {} } : answer(command);
        void Promise.resolve(reply).then((value) => {
          if (value !== undefined) socket.write(`${JSON.stringify({ ...(value as object), id: command.id })}\r\n`);
        });
      }
    });
  });
  server.listen(file);
  await once(server, 'listening');
  return {
    path: file,
    commands,
    send: (text) => {
      for (const socket of sockets) socket.write(text);
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
