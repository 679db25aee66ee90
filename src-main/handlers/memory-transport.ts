/** Joins a client and the handlers within one process: frames are copied as plain data, one turn of the loop later. */
import type { ServerFrame } from '../contract/wire.ts';
import type { ClientTransport } from '../contract/wire-client.ts';
import type { ServerTransport } from './wire-server.ts';

export function memoryTransports(): { readonly client: ClientTransport; readonly server: ServerTransport } {
  let open = true;
  const up = channel<unknown>(() => open);
  const down = channel<ServerFrame>(() => open);
  const closeListeners: (() => void)[] = [];
  const close = () => {
    if (!open) return;
    open = false;
    for (const listener of closeListeners) listener();
  };
  const onClose = (listener: () => void) => void closeListeners.push(listener);
  return {
    client: { send: up.send, onFrame: down.onFrame, onClose, close },
    server: { send: down.send, onFrame: up.onFrame, onClose, close },
  };
}

/** Delivery is deferred as over any other transport; what comes before there is a listener waits for it. */
function channel<Frame>(isOpen: () => boolean): {
  readonly send: (frame: Frame) => void;
  readonly onFrame: (listener: (frame: Frame) => void) => void;
} {
  let listener: ((frame: Frame) => void) | undefined;
  const waiting: Frame[] = [];
  const flush = () => {
    while (listener && isOpen()) {
      const [frame] = waiting.splice(0, 1);
      if (frame === undefined) return;
      listener(frame);
    }
  };
  return {
    send: (frame) => {
      if (!isOpen()) return;
      waiting.push(structuredClone(frame));
      setImmediate(flush);
    },
    onFrame: (next) => {
      listener = next;
      setImmediate(flush);
    },
  };
}
