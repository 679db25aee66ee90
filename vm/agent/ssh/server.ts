/**
 * The guest's SSH server: the one way in from the host. Public keys only, user root.
 * Channels: unix sockets (the engine's only), TCP to the guest itself (`localhost`, for published ports), sessions (a root shell in the
 * guest).
 */
import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { AuthContext, Connection, ParsedKey, Session } from 'ssh2';
import { errorText, log } from '../log.ts';
import { handleSession } from './session.ts';
import { openTunnel } from './tunnel.ts';

export interface SshServerOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly hostKeyPath: string;
  readonly authorizedKeysPath: string;
  readonly engineSocket: string;
  /** Native program that runs a command on a terminal of its own; see native/pty. */
  readonly ptyProgram: string;
}

export interface SshServer {
  readonly port: number;
  /** Shells and commands that are open now. */
  readonly sessions: number;
  close(): Promise<void>;
}

/** Ciphers that Node's OpenSSL runs natively, fastest first; both ends are ours. */
const algorithms = {
  kex: ['curve25519-sha256', 'ecdh-sha2-nistp256'],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-256'],
  compress: ['none'],
} satisfies NonNullable<ConstructorParameters<typeof ssh2.Server>[0]['algorithms']>;

const maxConnections = 64;

/** Listens on all of the guest's addresses. Rejects when the keys cannot be read or the port is taken. */
export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const [hostKey, authorized] = await Promise.all([
    readFile(options.hostKeyPath),
    readFile(options.authorizedKeysPath, 'utf8'),
  ]);
  const keys = parseAuthorizedKeys(authorized);
  const ssh = new ssh2.Server({ hostKeys: [hostKey], algorithms: algorithms, ident: 'wherry' });
  const sessions = new Set<Session>();
  const sockets = new Set<Socket>();
  ssh.on('connection', (client, { ip, port }) => {
    const socket = [...sockets].find(({ remoteAddress, remotePort }) => remoteAddress === ip && remotePort === port);
    handleClient(client, keys, { ...options, ownAddress: socket?.localAddress ?? '' }, sessions);
  });
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (sockets.size >= maxConnections) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    containErrors(socket);
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '::', () => resolve());
  }).catch(async () => {
    // No IPv6 in this kernel.
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, '0.0.0.0', () => resolve());
    });
  });
  server.on('error', (error) => log.error('the ssh server', error));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    get sessions() {
      return sessions.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * ssh2 throws inside its socket listeners when a peer leaves in the middle of a handshake (and on some malformed packets).
 * Such a throw must cost that connection only.
 */
function containErrors(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...values: unknown[]) => boolean;
  socket.emit = ((event: string | symbol, ...values: unknown[]): boolean => {
    try {
      return emit(event, ...values);
    } catch (error) {
      log.warn(`an ssh connection was dropped: ${errorText(error)}`);
      socket.destroy();
      return true;
    }
  }) as typeof socket.emit;
}

function handleClient(
  client: Connection,
  keys: readonly ParsedKey[],
  /** The guest's address that this client knows: published ports are there, not on the loopback. */
  options: SshServerOptions & { readonly ownAddress: string },
  sessions: Set<Session>,
): void {
  client.on('error', () => {
    // A dropped connection; its channels end by themselves.
  });
  client.on('authentication', (context) => authenticate(context, keys));
  client.on('ready', () => {
    client.on('session', (accept) => {
      const session = accept();
      sessions.add(session);
      session.on('close', () => sessions.delete(session));
      client.on('close', () => sessions.delete(session));
      handleSession(session, options.ptyProgram);
    });
    client.on('tcpip', (accept, reject, info) => {
      if (info.destIP === 'localhost') openTunnel({ host: options.ownAddress, port: info.destPort }, accept, reject);
      else reject();
    });
    client.on(
      'openssh.streamlocal' as 'session',
      ((accept: () => ssh2.ServerChannel, reject: () => void, info: { socketPath: string }) => {
        if (info.socketPath === options.engineSocket) openTunnel({ path: info.socketPath }, accept, reject);
        else reject();
      }) as never,
    );
  });
}

function authenticate(context: AuthContext, keys: readonly ParsedKey[]): void {
  if (context.method !== 'publickey' || context.username !== 'root') {
    context.reject(['publickey']);
    return;
  }
  const offered = context.key;
  const key = keys.find(
    (candidate) => candidate.type === offered.algo && equal(candidate.getPublicSSH(), offered.data),
  );
  if (key === undefined) {
    context.reject(['publickey']);
    return;
  }
  // Without a signature the client only asks whether this key would do.
  if (context.signature === undefined) {
    context.accept();
    return;
  }
  // ssh2 answers with an Error, which is truthy, when the signature is malformed.
  const verified: unknown = context.blob !== undefined && key.verify(context.blob, context.signature, context.hashAlgo);
  if (verified === true) context.accept();
  else context.reject(['publickey']);
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function parseAuthorizedKeys(text: string): ParsedKey[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const key = ssh2.utils.parseKey(line.trim());
    if (key instanceof Error) throw new Error(`authorized_keys: ${key.message}`);
    return key;
  });
}
