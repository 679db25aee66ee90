/** The guest's SSH server with a real client: keys, tunnels with half-close, sessions, and peers that misbehave. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { arch, tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import ssh2 from 'ssh2';
import type { ClientChannel } from 'ssh2';
import { makeOpensshKeyPair } from '../../../../../src-main/vm/openssh-key.ts';
import { startSshServer } from '../../../../../vm/agent/ssh/server.ts';
import { until } from '../../../../helpers/until.ts';

const ptyProgram = path.resolve(
  import.meta.dirname,
  '../../../../../build/native',
  arch() === 'arm64' ? 'arm64' : 'amd64',
  'pty',
);

interface Guest {
  readonly port: number;
  readonly engineSocket: string;
  readonly clientKey: string;
  readonly sessions: () => number;
  client(key?: string): Promise<ssh2.Client>;
}

async function makeGuest(t: TestContext): Promise<Guest> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-ssh-'));
  const host = makeOpensshKeyPair('test');
  const user = makeOpensshKeyPair('test');
  writeFileSync(path.join(folder, 'host'), host.private);
  writeFileSync(path.join(folder, 'authorized_keys'), `# a comment\n${user.public}\n`);
  const engineSocket = path.join(folder, 'docker.sock');
  const server = await startSshServer({
    port: 0,
    hostKeyPath: path.join(folder, 'host'),
    authorizedKeysPath: path.join(folder, 'authorized_keys'),
    engineSocket,
    ptyProgram,
  });
  const clients: ssh2.Client[] = [];
  t.after(async () => {
    for (const client of clients) client.end();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  return {
    port: server.port,
    engineSocket,
    clientKey: user.private,
    sessions: () => server.sessions,
    client: (key = user.private) =>
      new Promise((resolve, reject) => {
        const client = new ssh2.Client();
        clients.push(client);
        client.on('ready', () => resolve(client)).on('error', reject);
        client.connect({
          host: '127.0.0.1',
          port: server.port,
          username: 'root',
          privateKey: key,
          strictVendor: false,
        });
      }),
  };
}

function openSocket(client: ssh2.Client, socketPath: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.openssh_forwardOutStreamLocal(socketPath, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

function exec(client: ssh2.Client, command: string, options: ssh2.ExecOptions = {}): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

/** Unlike stream/consumers, leaves the other direction open. */
function text(stream: Readable): Promise<string> {
  let received = '';
  stream.on('data', (chunk: Buffer) => (received += chunk.toString()));
  return new Promise((resolve) => stream.on('end', () => resolve(received)));
}

function exitOf(channel: ClientChannel): Promise<unknown> {
  return new Promise((resolve) => channel.on('exit', (code: number | null, signal: string) => resolve(code ?? signal)));
}

test('only the pinned key is let in, and only as root', async (t) => {
  const guest = await makeGuest(t);
  await assert.rejects(guest.client(makeOpensshKeyPair('test').private), /authentication/i);
  await guest.client();
});

test('TCP leads to the guest itself, by the address that the client knows, and nowhere else', async (t) => {
  const guest = await makeGuest(t);
  const client = await guest.client();
  const connectTo = (host: string): Promise<ClientChannel> =>
    new Promise((resolve, reject) => {
      client.forwardOut('localhost', 0, host, guest.port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(error);
      });
    });
  await assert.rejects(connectTo('127.0.0.1'), /Channel open failure/);
  const channel = await connectTo('localhost');
  // The port of the server itself: it greets who connects.
  assert.match(String(((await once(channel, 'data')) as Buffer[])[0]), /^SSH-2\.0-/);
  channel.destroy();
});

test('a tunnel carries each direction to its end by itself', async (t) => {
  const guest = await makeGuest(t);
  const engine = createServer({ allowHalfOpen: true }, (socket) => {
    // Answers only when the client has ended its side.
    void text(socket).then((asked) => socket.end(`answer to ${asked.length}`));
  });
  engine.listen(guest.engineSocket);
  t.after(() => engine.close());
  const channel = await openSocket(await guest.client(), guest.engineSocket);
  channel.end(Buffer.alloc(5_000_000, 'x'));
  assert.equal(await text(channel), 'answer to 5000000');
});

test('a tunnel whose engine ends first still takes what the client sends', async (t) => {
  const guest = await makeGuest(t);
  let received: Promise<string> | undefined;
  const engine = createServer({ allowHalfOpen: true }, (socket) => {
    socket.end('hello');
    received = text(socket);
  });
  engine.listen(guest.engineSocket);
  t.after(() => engine.close());
  const channel = await openSocket(await guest.client(), guest.engineSocket);
  assert.equal(await text(channel), 'hello');
  channel.end('late words');
  await new Promise((resolve) => channel.on('close', resolve));
  assert.equal(await received, 'late words');
});

test('no other socket can be reached; one that does not listen is a refused channel', async (t) => {
  const guest = await makeGuest(t);
  const client = await guest.client();
  await assert.rejects(openSocket(client, '/run/dbus/system_bus_socket'), /Channel open failure/);
  await assert.rejects(openSocket(client, guest.engineSocket), /Channel open failure/);
});

test('commands: output, errors, exit code, input to its end, death by signal', async (t) => {
  const client = await (await makeGuest(t)).client();
  const channel = await exec(client, 'cat; echo problem >&2; exit 7');
  const exit = exitOf(channel);
  channel.end('typed');
  const [output, errors] = await Promise.all([text(channel), text(channel.stderr)]);
  assert.deepEqual([output, errors, await exit], ['typed', 'problem\n', 7]);
  const killed = await exec(client, 'kill -TERM $$');
  killed.resume();
  assert.equal(await exitOf(killed), 'SIGTERM');
});

test(
  'a terminal: its size, a new size, its exit code',
  { skip: existsSync(ptyProgram) ? false : 'native/pty is not built: npm run build -- native' },
  async (t) => {
    const client = await (await makeGuest(t)).client();
    const channel = await exec(client, 'stty size; read line; stty size; test -t 0 && exit 5', {
      pty: { cols: 91, rows: 17, term: 'xterm' },
    });
    const exit = exitOf(channel);
    const output = text(channel);
    setTimeout(() => {
      channel.setWindow(18, 92, 0, 0);
      setTimeout(() => channel.write('go\n'), 100);
    }, 300);
    assert.match(await output, /^17 91\r\n(.*\r\n)?18 92\r\n$/s);
    assert.equal(await exit, 5);
  },
);

test('peers that send rubbish or leave in the handshake cost nobody else anything', async (t) => {
  const guest = await makeGuest(t);
  const client = await guest.client();
  for (const bytes of ['', 'GET / HTTP/1.0\r\n\r\n', 'SSH-2.0-x\r\n', `SSH-2.0-x\r\n${'\0\0\0\x20junk'.repeat(99)}`]) {
    await new Promise((resolve) => {
      const socket = connect(guest.port, '127.0.0.1', () => socket.end(bytes));
      socket.on('close', resolve).on('error', resolve).resume();
    });
  }
  const channel = await exec(client, 'echo alive');
  assert.equal(await text(channel), 'alive\n');
});

test('shells and commands count while they are open, also when the client is cut', async (t) => {
  const guest = await makeGuest(t);
  const client = await guest.client();
  assert.equal(guest.sessions(), 0);
  const first = await exec(client, 'cat');
  await exec(client, 'cat');
  assert.equal(guest.sessions(), 2);
  first.end();
  await until('one of them has ended', () => guest.sessions() === 1);
  client.destroy();
  await until('the other has gone with the client', () => guest.sessions() === 0);
});
