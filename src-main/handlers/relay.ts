/**
 * Joins a window's connection to the host's, wherever the host runs. The calls that are about the shell itself
 * (`app.*`) are answered here, since the host may live in another process with another shell.
 */
import type { ClientTransport } from '../contract/wire-client.ts';
import { toErrorView } from '../contract/errors.ts';
import type { Handlers } from './handlers.ts';
import { callInputs, clientFrame } from './schemas.ts';
import { parseInput, type ServerTransport } from './wire-server.ts';

export type ShellCalls = Pick<Handlers['calls'], 'app.info' | 'app.openExternal'>;

/** Frames that a window may send while its connection to the host is still being made. */
const maxWaitingFrames = 1024;

/** Relays until either end closes; then both are closed, and a window makes a new connection by itself. */
export function relayWindow(
  window: ServerTransport,
  connect: (signal: AbortSignal) => Promise<ClientTransport>,
  shellCalls: ShellCalls,
): void {
  const over = new AbortController();
  const waiting: Parameters<ClientTransport['send']>[0][] = [];
  let host: ClientTransport | undefined;
  window.onClose(() => {
    over.abort();
    host?.close();
  });
  window.onFrame((input) => {
    const parsed = clientFrame.safeParse(input);
    if (!parsed.success || waiting.length >= maxWaitingFrames) {
      window.close();
      return;
    }
    const frame = parsed.data;
    if (frame.t === 'call' && isShellCall(frame.channel))
      void answer(window, frame.id, frame.channel, frame.input, shellCalls);
    else if (host) host.send(frame);
    else waiting.push(frame);
  });
  connect(over.signal).then(
    (transport) => {
      if (over.signal.aborted) {
        transport.close();
        return;
      }
      host = transport;
      transport.onFrame((frame) => window.send(frame));
      transport.onClose(() => window.close());
      for (const frame of waiting.splice(0)) transport.send(frame);
    },
    () => window.close(),
  );
}

function isShellCall(channel: string): channel is keyof ShellCalls {
  return channel === 'app.info' || channel === 'app.openExternal';
}

async function answer(
  window: ServerTransport,
  id: number,
  channel: keyof ShellCalls,
  input: unknown,
  shellCalls: ShellCalls,
): Promise<void> {
  try {
    const handler = shellCalls[channel] as (input: unknown, signal: AbortSignal) => unknown;
    const value = await handler(parseInput(callInputs[channel], input, channel), new AbortController().signal);
    window.send({ t: 'result', id, value });
  } catch (error) {
    window.send({ t: 'error', id, error: toErrorView(error) });
  }
}
