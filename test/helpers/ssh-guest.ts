/** A guest's SSH server in this process: a real ssh2 server whose engine socket is a function. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import type { LinkTarget } from '../../src-main/link/session.ts';
import { makeOpensshKeyPair } from '../../src-main/vm/openssh-key.ts';

export interface FakeGuest extends AsyncDisposable {
  readonly target: LinkTarget;
  readonly connections: ReadonlySet<Connection>;
  /** Streamlocal paths asked for. */
  readonly paths: readonly string[];
  /** Cuts every connection without a goodbye. */
  cut(): void;
}

export interface FakeGuestOptions {
  /** Serves one stream to the engine's socket. */
  readonly engine?: (channel: ServerChannel) => void;
  readonly shell?: (channel: ServerChannel, command: string | undefined) => void;
  readonly onWindow?: (rows: number, columns: number) => void;
  readonly port?: number;
  readonly keys?: GuestKeys;
}

export interface GuestKeys {
  readonly host: { readonly private: string; readonly public: string };
  readonly client: { readonly private: string; readonly public: string };
}

export function makeKeys(): GuestKeys {
  return { host: makeOpensshKeyPair('test-host'), client: makeOpensshKeyPair('test-client') };
}

export async function startFakeGuest(options: FakeGuestOptions = {}): Promise<FakeGuest> {
  const keys = options.keys ?? makeKeys();
  const allowed = parsePublic(keys.client.public);
  const connections = new Set<Connection>();
  const sockets = new Set<{ destroy(): void }>();
  const paths: string[] = [];
  const server = new ssh2.Server({ hostKeys: [keys.host.private] }, (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => {
      if (context.method !== 'publickey' || !context.key.data.equals(allowed)) context.reject(['publickey']);
      else context.accept();
    });
    connection.on('openssh.streamlocal', (accept, reject, info) => {
      paths.push(info.socketPath);
      if (options.engine === undefined) reject();
      else options.engine(accept());
    });
    connection.on('session', (acceptSession) => {
      const session = acceptSession();
      session.on('pty', (accept) => accept());
      // No answer: ssh2 passes no `accept` when the client asked for none.
      session.on('window-change', (_accept, _reject, info) => {
        options.onWindow?.(info.rows, info.cols);
      });
      session.on('exec', (accept, _reject, info) => options.shell?.(accept(), info.command));
      session.on('shell', (accept) => options.shell?.(accept(), undefined));
    });
  });
  // ssh2's server is a net.Server inside; its raw sockets are what a cut needs.
  const inner = (server as unknown as { _srv: import('node:net').Server })._srv;
  inner.prependListener('connection', (socket) => {
    sockets.add(socket);
    containErrors(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(inner, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    target: { host: '127.0.0.1', port, hostKey: parsePublic(keys.host.public), clientKey: keys.client.private },
    connections,
    paths,
    cut,
    async [Symbol.asyncDispose]() {
      const closed = once(inner, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

/** ssh2's server throws inside its socket listeners when a peer leaves in the middle of a handshake. */
function containErrors(socket: Socket): void {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...values: unknown[]) => boolean;
  socket.emit = ((event: string | symbol, ...values: unknown[]): boolean => {
    try {
      return emit(event, ...values);
    } catch {
      socket.destroy();
      return true;
    }
  }) as typeof socket.emit;
}

function parsePublic(line: string): Buffer {
  const parsed = ssh2.utils.parseKey(line);
  if (parsed instanceof Error) throw parsed;
  return parsed.getPublicSSH();
}
