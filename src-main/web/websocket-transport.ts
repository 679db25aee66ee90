/** Wire frames over an accepted WebSocket, one JSON text message each. */
import type { WebSocket } from 'ws';
import type { ServerTransport } from '../handlers/wire-server.ts';

/** Takes a socket whose secret was already checked. */
export function serverWebSocketTransport(socket: WebSocket): ServerTransport {
  return {
    send: (frame) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
    },
    onFrame: (listener) => {
      socket.on('message', (data, isBinary) => {
        if (socket.readyState === socket.OPEN) listener(isBinary ? undefined : parse(data));
      });
    },
    onClose: (listener) => {
      if (socket.readyState === socket.CLOSED) queueMicrotask(listener);
      else socket.once('close', () => listener());
    },
    close: () => socket.close(1000),
  };
}

/** What is not JSON becomes `undefined`, which is no frame. */
function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
