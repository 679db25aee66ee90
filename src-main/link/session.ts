/** One SSH connection, from its handshake to its end. It is never repaired: `supervised.ts` opens the next one. */
import net from 'node:net';
import type { Readable } from 'node:stream';
import { Client, type ClientChannel } from 'ssh2';
import { AppError } from '../contract/errors.ts';
import { guestPaths } from '../../vm/contract/wherry-api.ts';
import type { GuestShell, GuestShellRequest } from '../services.ts';
import { raceAbort, withDeadline } from '../wait.ts';
import { ChannelStream } from './channel-stream.ts';

/** User-mode networking accepts a connection before the guest listens: silence this long means nobody is there. */
const firstByteMs = 1500;
/** Once the guest has spoken, it may be slow (emulated, busy), not absent. */
const handshakeMs = 15_000;
const openChannelMs = 15_000;
/** More would let one runaway client exhaust the guest's agent. */
const maxChannels = 1024;

export interface LinkTarget {
  readonly host: string;
  readonly port: number;
  /** The guest's public host key: its SSH wire form. Any other is refused. */
  readonly hostKey: Buffer;
  /** Our private key, OpenSSH form. */
  readonly clientKey: string;
}

export interface KeepAlive {
  readonly intervalMs: number;
  /** Unanswered ones before the connection counts as dead. */
  readonly misses: number;
}

export class SshSession {
  readonly #client: Client;
  readonly #socket: net.Socket;
  readonly #streams = new Set<ChannelStream>();
  /** Resolves when the connection is gone, with the reason. */
  readonly closed: Promise<string>;
  #lost: string | undefined;

  private constructor(client: Client, socket: net.Socket) {
    this.#client = client;
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      client.on('error', (error) => (this.#lost ??= error.message));
      // Before ssh2's own listener: it ends every channel as if the peer had, and a cut would look like a clean end.
      socket.prependListener('close', () => {
        this.#lost ??= 'the connection was closed';
        for (const stream of this.#streams) stream.lose(this.#lost);
        this.#streams.clear();
        resolve(this.#lost);
      });
    });
  }

  /**
   * Connects and authenticates both ends.
   * @throws AppError `link-lost` when nobody answers or the keys do not fit.
   */
  static async open(target: LinkTarget, keepAlive: KeepAlive, signal?: AbortSignal): Promise<SshSession> {
    const socket = net.connect({ host: target.host, port: target.port, noDelay: true });
    containErrors(socket);
    const client = new Client();
    try {
      await withDeadline('reach the guest', firstByteMs, (inner) => raceAbort(firstByte(socket), inner), { signal });
      const session = new SshSession(client, socket);
      await withDeadline(
        'greet the guest',
        handshakeMs,
        (inner) => raceAbort(handshake(client, socket, target, keepAlive), inner),
        { signal },
      );
      return session;
    } catch (error) {
      client.on('error', () => undefined);
      client.destroy();
      socket.destroy();
      signal?.throwIfAborted();
      throw new AppError('link-lost', `connect to the guest: ${(error as Error).message}`, { cause: error });
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined || this.#socket.destroyed;
  }

  get channels(): number {
    return this.#streams.size;
  }

  /** A stream to the guest's engine socket. */
  async openEngine(signal?: AbortSignal): Promise<ChannelStream> {
    const channel = await this.#openChannel('open a stream to the engine', signal, (done) =>
      this.#client.openssh_forwardOutStreamLocal(guestPaths.engineSocket, done),
    );
    return this.#adopt(channel);
  }

  /** A TCP connection to a port of the guest. */
  async openPort(port: number, signal?: AbortSignal): Promise<ChannelStream> {
    const channel = await this.#openChannel(`connect to port ${port} of the guest`, signal, (done) =>
      this.#client.forwardOut('localhost', 0, 'localhost', port, done),
    );
    return this.#adopt(channel);
  }

  /** Runs a command or a login shell in the guest. */
  async openShell(request: GuestShellRequest, signal?: AbortSignal): Promise<GuestShell> {
    const pty =
      request.pty === undefined
        ? undefined
        : { cols: request.pty.columns, rows: request.pty.rows, term: request.pty.term };
    const channel = await this.#openChannel('open a shell in the guest', signal, (done) => {
      if (request.command !== undefined) this.#client.exec(request.command, pty === undefined ? {} : { pty }, done);
      else this.#client.shell(pty ?? false, done);
    });
    const exited = new Promise<number>((resolve) => {
      let code = 255;
      channel.on('exit', (status: number | null) => (code = status ?? 255));
      channel.on('close', () => {
        resolve(code);
      });
    });
    const stderr: Readable = channel.stderr;
    return {
      stdio: this.#adopt(channel),
      stderr,
      exited,
      resize: (columns, rows) => {
        channel.setWindow(rows, columns, 0, 0);
      },
    };
  }

  /** Cuts the connection; every stream on it ends with `link-lost`. */
  destroy(reason: string): void {
    this.#lost ??= reason;
    this.#client.destroy();
    this.#socket.destroy();
  }

  async #openChannel(
    what: string,
    signal: AbortSignal | undefined,
    open: (done: (error: Error | undefined, channel: ClientChannel) => void) => unknown,
  ): Promise<ClientChannel> {
    if (this.isLost) throw new AppError('link-lost', `${what}: ${this.#lost ?? 'the link is down'}`);
    if (this.#streams.size >= maxChannels) {
      throw new AppError('unavailable', `${what}: ${maxChannels} streams are open already`, {
        hint: 'Close some of the clients that follow logs, events or terminals.',
      });
    }
    const opened = new Promise<ClientChannel>((resolve, reject) => {
      open((error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(this.isLost ? this.#lostError(what) : new AppError('unavailable', `${what}: ${error.message}`));
      });
      void this.closed.then(() => {
        reject(this.#lostError(what));
      });
    });
    try {
      return await withDeadline(what, openChannelMs, (inner) => raceAbort(opened, inner), { signal });
    } catch (error) {
      // A channel that opens after we gave up is closed at once.
      opened.then(
        (channel) => channel.close(),
        () => undefined,
      );
      throw error;
    }
  }

  #lostError(what: string): AppError {
    return new AppError('link-lost', `${what}: ${this.#lost ?? 'the link is down'}`);
  }

  #adopt(channel: ClientChannel): ChannelStream {
    const stream = new ChannelStream(channel);
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    return stream;
  }
}

/** ssh2 throws inside its socket listeners on some malformed or ill-timed packets: that must cost this connection only. */
function containErrors(socket: net.Socket): void {
  socket.on('error', () => undefined);
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...values: unknown[]) => boolean;
  socket.emit = ((event: string | symbol, ...values: unknown[]): boolean => {
    try {
      return emit(event, ...values);
    } catch (error) {
      socket.destroy(error as Error);
      return true;
    }
  }) as typeof socket.emit;
}

/** Resolves at the first byte without consuming it. */
async function firstByte(socket: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('readable', resolve);
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('the connection was closed before a greeting'));
    });
  });
}

async function handshake(client: Client, socket: net.Socket, target: LinkTarget, keepAlive: KeepAlive): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('ready', resolve);
    client.once('error', reject);
    client.once('close', () => {
      reject(new Error('the connection was closed during the handshake'));
    });
    client.connect({
      sock: socket,
      username: 'root',
      privateKey: target.clientKey,
      authHandler: ['publickey'],
      hostVerifier: (key: Buffer) => key.equals(target.hostKey),
      algorithms: { serverHostKey: ['ssh-ed25519'], compress: ['none'] },
      readyTimeout: handshakeMs,
      keepaliveInterval: keepAlive.intervalMs,
      keepaliveCountMax: keepAlive.misses,
      strictVendor: false,
    });
  });
}
