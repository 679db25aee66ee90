/** A channel joined to a socket in the guest. Each direction ends by itself (half-close), as docker attach needs. */
import { connect } from 'node:net';
import type { NetConnectOpts, Socket } from 'node:net';
import type { ServerChannel } from 'ssh2';

const connectTimeoutMs = 10_000;
/** How long a client may keep its direction open after the socket's side has ended. */
const lingerMs = 5000;

/** Connects first and accepts then, so that a refused connection is a refused channel. */
export function openTunnel(
  target: { readonly path: string } | { readonly host: string; readonly port: number },
  accept: () => ServerChannel,
  reject: () => void,
): void {
  const options: NetConnectOpts = { ...target, allowHalfOpen: true };
  const socket = connect(options);
  const refuse = (): void => {
    socket.destroy();
    reject();
  };
  socket.setTimeout(connectTimeoutMs, refuse);
  socket.once('error', refuse);
  socket.once('connect', () => {
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    socket.off('error', refuse);
    join(accept(), socket);
  });
}

function join(channel: ServerChannel, socket: Socket): void {
  let clientEnded = false;
  const close = (): void => {
    socket.destroy();
    channel.close();
  };
  socket.on('error', close);
  channel.on('error', close);
  channel.on('close', () => socket.destroy());

  channel.on('data', (chunk: Buffer) => {
    if (!socket.write(chunk)) channel.pause();
  });
  socket.on('drain', () => channel.resume());
  channel.on('end', () => {
    clientEnded = true;
    socket.end();
  });

  socket.on('data', (chunk: Buffer) => {
    if (!channel.write(chunk)) socket.pause();
  });
  channel.on('drain', () => socket.resume());
  socket.on('end', () => {
    // An empty write completes when all before it have; `end()` would close both directions in ssh2's server.
    channel.write(Buffer.alloc(0), () => {
      channel.eof();
      if (clientEnded) close();
      else {
        const timer = setTimeout(close, lingerMs);
        channel.once('end', () => {
          clearTimeout(timer);
          close();
        });
      }
    });
  });
}
